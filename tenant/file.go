package tenant

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

func (s *State) filePut(t Turn, m FilePut) (actors.Message, error) {
	if err := m.File.check(); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(m.Blob, "t/"+t.Key().ID+"/f/") {
		return nil, easel.Invalid("blob", "is not one of this tenant's files")
	}
	old, err := findFile(t.Tx(), m.File.Name)
	fresh := errors.Is(err, sqlite.ErrNoRows)
	if err != nil && !fresh {
		return nil, err
	}
	if !fresh && old.Blob == m.Blob {
		return old, nil // a repeat
	}
	if err := mayPut(m.By, m.File.Name, old.File.ETag, m.If); err != nil {
		return nil, err
	}
	given, err := isDropped(t.Tx(), m.Blob)
	if err != nil {
		return nil, err
	}
	if given {
		return nil, easel.Errorf(easel.CodeGone, "the upload took too long: its content was given up")
	}
	d := Amounts{Bytes: m.File.Size - old.File.Size}
	if fresh {
		d.Files = 1
	}
	if err := s.charge(t, d); err != nil {
		return nil, err
	}
	if !fresh {
		if err := drop(t.Tx(), old.Blob, later(t, s.o.DropAfter)); err != nil {
			return nil, err
		}
	}
	reply := FileReply{File: m.File, Blob: m.Blob}
	reply.File.UpdatedBy, reply.File.UpdatedAt = m.By.User, easel.At(t.Now())
	return reply, saveFile(t.Tx(), reply, m.Sums)
}

func (s *State) fileCheck(t Turn, m FileCheck) (actors.Message, error) {
	if err := checkName("name", m.Name); err != nil {
		return nil, err
	}
	old, err := findFile(t.Tx(), m.Name)
	if err != nil && !errors.Is(err, sqlite.ErrNoRows) {
		return nil, err
	}
	return Empty{}, mayPut(m.By, m.Name, old.File.ETag, m.If)
}

// mayPut checks that by may write a file that has this etag now ("": none).
func mayPut(by Author, name, etag string, c Condition) error {
	if err := mayWrite(by, name); err != nil {
		return err
	}
	return c.check(etag)
}

func (s *State) fileGet(t Turn, m FileGet) (actors.Message, error) {
	f, err := findFile(t.Tx(), m.Name)
	if errors.Is(err, sqlite.ErrNoRows) {
		return nil, easel.Errorf(easel.CodeNotFound, "no such file")
	}
	if err != nil {
		return nil, err
	}
	err = t.Tx().Row(`SELECT nullif(sums, x'') FROM file WHERE name = ?`, []any{m.Name}, &f.Sums)
	return f, err
}

func (s *State) fileDelete(t Turn, m FileDelete) (actors.Message, error) {
	if err := checkName("name", m.Name); err != nil {
		return nil, err
	}
	old, err := findFile(t.Tx(), m.Name)
	fresh := errors.Is(err, sqlite.ErrNoRows)
	if err != nil && !fresh {
		return nil, err
	}
	if err := mayPut(m.By, m.Name, old.File.ETag, m.If); err != nil {
		return nil, err
	}
	if fresh {
		return nil, easel.Errorf(easel.CodeNotFound, "no such file")
	}
	if _, err := t.Tx().Exec(`DELETE FROM file WHERE name = ?`, m.Name); err != nil {
		return nil, err
	}
	if err := drop(t.Tx(), old.Blob, later(t, s.o.DropAfter)); err != nil {
		return nil, err
	}
	return Empty{}, addUsage(t.Tx(), Amounts{Files: -1, Bytes: -old.File.Size})
}

// filesList names the list in its cursors.
const filesList = "files"

func (s *State) fileList(t Turn, m FileList) (actors.Message, error) {
	after, err := parseAfter(filesList, m.Cursor)
	if err != nil {
		return nil, err
	}
	limit := pageLimit(m.Limit)
	rows, err := t.Tx().Query(`SELECT name, blob, etag, size, content_type, meta, updated_by, updated_at FROM file
		WHERE name >= ? AND name > ? ORDER BY name`, m.Prefix, after)
	if err != nil {
		return nil, err
	}
	reply := FileListReply{Files: []File{}}
	size := 0
	for rows.Next() {
		f, err := scanFile(rows)
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		if !strings.HasPrefix(f.File.Name, m.Prefix) {
			break
		}
		for k, v := range f.File.Meta {
			size += len(k) + len(v)
		}
		if n := len(reply.Files); n == limit || n > 0 && size > maxPageSize {
			reply.Next = encodeCursor(filesList, reply.Files[n-1].Name)
			break
		}
		reply.Files = append(reply.Files, f.File)
	}
	return reply, rows.Close()
}

// check checks what the client says of a file.
func (f File) check() error {
	if err := checkName("name", f.Name); err != nil {
		return err
	}
	if f.Size < 0 || f.ETag == "" {
		return easel.Invalid("size", "or etag is missing")
	}
	if len(f.ContentType) > maxType || !utf8.ValidString(f.ContentType) {
		return easel.Invalid("content_type", "is too long or no UTF-8")
	}
	size := 0
	for k, v := range f.Meta {
		if k == "" || !utf8.ValidString(k) || !utf8.ValidString(v) {
			return easel.Invalid("meta", "must be UTF-8 with names that are not empty")
		}
		size += len(k) + len(v)
	}
	if size > MaxMeta || len(f.Meta) > maxMetaKeys {
		return easel.Invalid("meta", "has at most 64 entries of 8192 bytes together")
	}
	return nil
}

func findFile(tx *sqlite.Tx, name string) (FileReply, error) {
	rows, err := tx.Query(`SELECT name, blob, etag, size, content_type, meta, updated_by, updated_at FROM file WHERE name = ?`, name)
	if err != nil {
		return FileReply{}, err
	}
	if !rows.Next() {
		if err := rows.Close(); err != nil {
			return FileReply{}, err
		}
		return FileReply{}, sqlite.ErrNoRows
	}
	f, err := scanFile(rows)
	return f, errors.Join(err, rows.Close())
}

func scanFile(rows *sqlite.Rows) (FileReply, error) {
	var (
		f    FileReply
		meta []byte
	)
	err := rows.Scan(&f.File.Name, &f.Blob, &f.File.ETag, &f.File.Size, &f.File.ContentType, &meta, &f.File.UpdatedBy, &f.File.UpdatedAt)
	if err != nil {
		return FileReply{}, err
	}
	return f, json.Unmarshal(meta, &f.File.Meta)
}

func saveFile(tx *sqlite.Tx, f FileReply, sums []byte) error {
	if sums == nil {
		sums = []byte{} // nil would be NULL
	}
	meta, err := json.Marshal(f.File.Meta)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO file (name, blob, etag, size, content_type, meta, updated_by, updated_at, sums) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET blob = excluded.blob, etag = excluded.etag, size = excluded.size,
		content_type = excluded.content_type, meta = excluded.meta, updated_by = excluded.updated_by, updated_at = excluded.updated_at,
		sums = excluded.sums`,
		f.File.Name, f.Blob, f.File.ETag, f.File.Size, f.File.ContentType, string(meta), f.File.UpdatedBy, f.File.UpdatedAt, sums)
	return err
}
