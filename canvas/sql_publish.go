package canvas

import (
	"fmt"

	"github.com/easelhq/easel/sqlite"
)

// Times in a published file are RFC 3339 in UTC with milliseconds, as in the API.
const (
	createdText = `strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch')`
	updatedText = `strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch')`
	atText      = `strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch')`
)

// published are the tables of a published file, made of an image's own. They are
// made under other names first, because some are called the same.
var published = []struct{ name, columns, without, from string }{
	{
		"image",
		`id TEXT NOT NULL PRIMARY KEY, epoch TEXT NOT NULL, version INTEGER NOT NULL, filename TEXT NOT NULL,
		content_type TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, width INTEGER NOT NULL,
		height INTEGER NOT NULL, uploaded_by TEXT NOT NULL, created_at TEXT NOT NULL, metadata TEXT NOT NULL`,
		"",
		`SELECT lower(hex(id)), epoch, (SELECT ifnull(max(ver), 0) FROM log), filename, content_type, size, sha256, width,
			height, uploaded_by, ` + createdText + `, metadata FROM image`,
	},
	{
		"annotation",
		`id TEXT NOT NULL PRIMARY KEY, label TEXT NOT NULL, x REAL NOT NULL, y REAL NOT NULL, width REAL NOT NULL,
		height REAL NOT NULL, confidence REAL, created_by TEXT NOT NULL, created_at TEXT NOT NULL, updated_by TEXT NOT NULL,
		updated_at TEXT NOT NULL, rev INTEGER NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
		shape TEXT, attributes TEXT, source TEXT, model TEXT`,
		`, WITHOUT ROWID`,
		`SELECT lower(hex(id)), label, x, y, width, height, confidence, created_by, ` + createdText + `, updated_by,
			` + updatedText + `, rev, ver, pos, nullif(shape, ''), nullif(attributes, ''), nullif(source, ''), nullif(model, '')
			FROM annotation`,
	},
	{
		"deleted_annotation",
		`id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, rev INTEGER NOT NULL`,
		`, WITHOUT ROWID`,
		`SELECT lower(hex(id)), ver, rev FROM tombstone`,
	},
	{
		"batch",
		`version INTEGER NOT NULL PRIMARY KEY, at TEXT NOT NULL, annotations INTEGER NOT NULL, body TEXT NOT NULL`,
		"",
		`SELECT ver, ` + atText + `, live, CAST(body AS TEXT) FROM log`,
	},
	{
		"message",
		`id TEXT NOT NULL PRIMARY KEY, "by" TEXT NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL`,
		`, WITHOUT ROWID`,
		`SELECT lower(hex(id)), user, ` + atText + `, text FROM chat`,
	},
}

// makePublic turns an image's own tables into those of a published file.
func makePublic(tx *sqlite.Tx, p Published) error {
	own, err := tables(tx)
	if err != nil {
		return err
	}
	var from int64
	if err := tx.Row(`SELECT ifnull(min(ver), ?) FROM log`, []any{p.Ver + 1}, &from); err != nil {
		return err
	}
	for _, t := range published {
		if err := run(tx, `CREATE TABLE "public `+t.name+`" (`+t.columns+`) STRICT`+t.without, `INSERT INTO "public `+t.name+`" `+t.from); err != nil {
			return fmt.Errorf("make table %s: %w", t.name, err)
		}
	}
	for _, name := range own {
		if err := run(tx, `DROP TABLE "`+name+`"`); err != nil {
			return fmt.Errorf("drop table %s: %w", name, err)
		}
	}
	for _, t := range published {
		if err := run(tx, `ALTER TABLE "public `+t.name+`" RENAME TO "`+t.name+`"`); err != nil {
			return err
		}
	}
	if err := run(tx, `CREATE INDEX annotation_label ON annotation (label)`, `CREATE TABLE easel (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT`); err != nil {
		return err
	}
	for _, fact := range [][2]string{
		{"format", fmt.Sprint(PublicFormat)},
		{"image", string(p.Image.ID)},
		{"version", fmt.Sprintf("%s:%d", p.Epoch, p.Ver)},
		{"batches_from", fmt.Sprint(from)}, // older ones are in the store, GET …/ops has them
	} {
		if _, err := tx.Exec(`INSERT INTO easel VALUES (?, ?)`, fact[0], fact[1]); err != nil {
			return err
		}
	}
	return run(tx, fmt.Sprintf(`PRAGMA user_version = %d`, PublicFormat))
}

// tables returns the names of all tables of the file.
func tables(tx *sqlite.Tx) ([]string, error) {
	rows, err := tx.Query(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
	if err != nil {
		return nil, err
	}
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			_ = rows.Close() // the scan's error says more
			return nil, err
		}
		out = append(out, name)
	}
	return out, rows.Close()
}

func run(tx *sqlite.Tx, statements ...string) error {
	for _, s := range statements {
		if _, err := tx.Exec(s); err != nil {
			return err
		}
	}
	return nil
}
