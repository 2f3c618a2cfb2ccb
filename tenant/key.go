package tenant

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

func (s *State) keyCreate(t Turn, m KeyCreate) (actors.Message, error) {
	if err := needAdmin(m.By); err != nil {
		return nil, err
	}
	if n := utf8.RuneCountInString(m.Name); n < 1 || n > MaxKeyName || !utf8.ValidString(m.Name) {
		return nil, easel.Invalid("name", "must have 1 to 100 characters")
	}
	if !m.Role.Valid() {
		return nil, easel.Invalid("role", "must be viewer, annotator, reviewer, admin or owner")
	}
	if !m.By.Role.AtLeast(m.Role) {
		return nil, easel.Errorf(easel.CodeForbidden, "role %s may not make a key of role %s", m.By.Role, m.Role)
	}
	if err := checkTTL(m.TTL); err != nil {
		return nil, err
	}
	if len(m.Secret) != sha256.Size {
		return nil, fmt.Errorf("tenant: hash of a secret has %d bytes", len(m.Secret))
	}
	info := KeyInfo{ID: easel.NewID(), Name: m.Name, Role: m.Role, CreatedBy: m.By.User, CreatedAt: easel.At(t.Now())}
	if m.TTL > 0 {
		info.ExpiresAt = later(t, time.Duration(m.TTL)*time.Second)
	}
	if err := insertKey(t.Tx(), info, m); err != nil {
		return nil, err
	}
	if err := addUsage(t.Tx(), Amounts{Keys: 1}); err != nil {
		return nil, err
	}
	return KeyCreated{ID: info.ID, Role: info.Role, ExpiresAt: info.ExpiresAt}, nil
}

// HashSecret is the form in which a service key's secret is kept. A secret is
// as good as random, so a plain hash is enough.
func HashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// keysList names the list in its cursors.
const keysList = "keys"

func (s *State) keyList(t Turn, m KeyList) (actors.Message, error) {
	if err := needAdmin(m.By); err != nil {
		return nil, err
	}
	from, err := parsePosition(keysList, m.Cursor)
	if err != nil {
		return nil, err
	}
	limit := pageLimit(m.Limit)
	rows, err := t.Tx().Query(`SELECT id, name, role, created_by, created_at, expires_at FROM service_key
		WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`, from.at, from.id, limit+1)
	if err != nil {
		return nil, err
	}
	reply := KeyListReply{Keys: []KeyInfo{}}
	for rows.Next() {
		var k KeyInfo
		if err := rows.Scan(&k.ID, &k.Name, &k.Role, &k.CreatedBy, &k.CreatedAt, &k.ExpiresAt); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		reply.Keys = append(reply.Keys, k)
	}
	if len(reply.Keys) > limit {
		reply.Keys = reply.Keys[:limit]
		last := reply.Keys[limit-1]
		reply.Next = position{at: last.CreatedAt, id: last.ID}.cursor(keysList)
	}
	return reply, rows.Close()
}

func (s *State) keyDelete(t Turn, m KeyDelete) (actors.Message, error) {
	if err := needAdmin(m.By); err != nil {
		return nil, err
	}
	n, err := t.Tx().Exec(`DELETE FROM service_key WHERE id = ?`, m.ID)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, easel.Errorf(easel.CodeNotFound, "no such key")
	}
	return Empty{}, addUsage(t.Tx(), Amounts{Keys: -1})
}

func (s *State) keyCheck(t Turn, m KeyCheck) (actors.Message, error) {
	reply := KeyReply{ID: m.ID}
	var hash []byte
	err := t.Tx().Row(`SELECT name, role, created_by, expires_at, tenant, secret FROM service_key WHERE id = ?`, []any{m.ID},
		&reply.Name, &reply.Role, &reply.CreatedBy, &reply.ExpiresAt, &reply.Tenant, &hash)
	if err != nil && !errors.Is(err, sqlite.ErrNoRows) {
		return nil, err
	}
	// Of an unknown id the hash is empty, and the comparison fails like any other.
	same := subtle.ConstantTimeCompare(hash, HashSecret(m.Secret)) == 1
	if !same || reply.ExpiresAt > 0 && reply.ExpiresAt <= easel.At(t.Now()) {
		return nil, easel.Errorf(easel.CodeUnauthorized, "the service key is not valid")
	}
	return reply, nil
}

func insertKey(tx *sqlite.Tx, k KeyInfo, m KeyCreate) error {
	_, err := tx.Exec(`INSERT INTO service_key (id, name, role, secret, created_by, created_at, expires_at, tenant) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		k.ID, k.Name, k.Role, m.Secret, k.CreatedBy, k.CreatedAt, k.ExpiresAt, m.Tenant)
	return err
}
