package tenant

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// What is kept of label schemas.
const (
	KeptSchemas = 100       // newest versions
	MaxSchema   = 256 << 10 // bytes of one as JSON
)

func (s *State) schema(t Turn, m Schema) (actors.Message, error) {
	reply, err := findSchema(t.Tx(), m.Version)
	if errors.Is(err, sqlite.ErrNoRows) {
		if m.Version == 0 {
			return SchemaReply{LabelSchema: easel.LabelSchema{Labels: []easel.Label{}, Open: true}}, nil
		}
		return nil, easel.Errorf(easel.CodeNotFound, "no version %d of the label schema", m.Version)
	}
	return reply, err
}

func (s *State) schemaPut(t Turn, m SchemaPut) (actors.Message, error) {
	if err := needAdmin(m.By); err != nil {
		return nil, err
	}
	if broken := m.Schema.Validate(); len(broken) > 0 {
		return nil, &easel.Error{Code: easel.CodeInvalid, Message: broken[0].Path + " " + broken[0].Message, Details: broken}
	}
	found, err := s.schema(t, Schema{})
	if err != nil {
		return nil, err
	}
	old, ok := found.(SchemaReply)
	if !ok {
		return nil, fmt.Errorf("tenant: a schema is a %T", found)
	}
	if err := m.If.allows(old); err != nil {
		return nil, err
	}
	body, err := json.Marshal(m.Schema)
	if err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	if len(body) > MaxSchema {
		return nil, easel.Errorf(easel.CodeTooLarge, "a label schema has at most %d bytes", MaxSchema)
	}
	before, err := json.Marshal(old.LabelSchema)
	if err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	if old.Version > 0 && string(before) == string(body) {
		return old, nil
	}
	next := SchemaReply{
		Version: old.Version + 1, LabelSchema: m.Schema, UpdatedBy: m.By.User, UpdatedAt: max(easel.At(t.Now()), old.UpdatedAt),
	}
	return next, saveSchema(t.Tx(), next, body)
}

// allows returns nil if c holds for what is there, whose tag is its version.
func (c Condition) allows(there SchemaReply) error {
	tag := strconv.FormatInt(there.Version, 10)
	switch {
	case c.IfAbsent && there.Version > 0:
	case c.IfMatch == "*" && there.Version == 0:
	case c.IfMatch != "" && c.IfMatch != "*" && !slices.Contains(strings.Split(c.IfMatch, ","), tag):
	default:
		return nil
	}
	e := easel.Errorf(easel.CodeConflict, "the label schema is at version %d", there.Version)
	var err error
	e.Current, err = json.Marshal(there)
	if err != nil {
		return fmt.Errorf("encode schema: %w", err)
	}
	return e
}

func (s *State) schemaVersions(t Turn) (actors.Message, error) {
	rows, err := t.Tx().Query(`SELECT version, updated_by, updated_at FROM label_schema ORDER BY version DESC`)
	if err != nil {
		return nil, err
	}
	reply := SchemaVersionsReply{Versions: []SchemaVersion{}}
	for rows.Next() {
		var v SchemaVersion
		if err := rows.Scan(&v.Version, &v.UpdatedBy, &v.UpdatedAt); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		reply.Versions = append(reply.Versions, v)
	}
	return reply, rows.Close()
}

// findSchema returns a version, the newest for 0.
func findSchema(tx *sqlite.Tx, version int64) (SchemaReply, error) {
	var (
		r    SchemaReply
		body []byte
		err  error
	)
	const columns = `SELECT version, body, updated_by, updated_at FROM label_schema `
	if version == 0 {
		err = tx.Row(columns+`ORDER BY version DESC LIMIT 1`, nil, &r.Version, &body, &r.UpdatedBy, &r.UpdatedAt)
	} else {
		err = tx.Row(columns+`WHERE version = ?`, []any{version}, &r.Version, &body, &r.UpdatedBy, &r.UpdatedAt)
	}
	if err != nil {
		return SchemaReply{}, err
	}
	if err := json.Unmarshal(body, &r.LabelSchema); err != nil {
		return SchemaReply{}, fmt.Errorf("decode schema: %w", err)
	}
	return r, nil
}

func saveSchema(tx *sqlite.Tx, r SchemaReply, body []byte) error {
	_, err := tx.Exec(`INSERT INTO label_schema (version, body, updated_by, updated_at) VALUES (?, ?, ?, ?)`,
		r.Version, string(body), r.UpdatedBy, r.UpdatedAt)
	if err == nil {
		_, err = tx.Exec(`DELETE FROM label_schema WHERE version <= ?`, r.Version-KeptSchemas)
	}
	return err
}
