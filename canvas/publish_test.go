package canvas_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/migrations"
	"github.com/easelhq/easel/sqlite"
)

// fileOf writes rows into a new file of an image and returns its path.
func fileOf(t *testing.T, rows ...string) string {
	t.Helper()
	scripts, err := migrations.Image()
	if err != nil {
		t.Fatal(err)
	}
	schema, err := actors.NewSchema(canvas.KindName, scripts)
	if err != nil {
		t.Fatal(err)
	}
	template, err := schema.Template()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, template.Bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(path, schema)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if _, err := tx.Exec(row); err != nil {
			t.Fatalf("%s: %v", row, err)
		}
	}
	if err := db.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	rowImage = `INSERT INTO image (one, id, epoch, filename, content_type, size, sha256, uploaded_by, created_at, metadata)
		VALUES (1, x'0000000000000000000000000000000a', 'e1', 'a.png', 'image/png', 3, 'abc', 'ann', 1700000000123, '{"k":1}')`
	rowAnnotation = `INSERT INTO annotation (id, ver, pos, rev, label, x, y, width, height, created_by, created_at, updated_by, updated_at)
		VALUES (x'0000000000000000000000000000000b', 2, 0, 3, 'cat', 0.1, 0.2, 0.3, 0.4, 'ann', 1700000000123, 'bob', 1700000001000)`
)

func TestPublishGivesThePublicTablesAndNoSecret(t *testing.T) {
	rows := []string{
		rowImage, rowAnnotation,
		`INSERT INTO log (ver, at, live, body) VALUES (1, 1700000000123, 1, CAST('{"ver":1}' AS BLOB)), (2, 1700000000123, 1, CAST('{"ver":2}' AS BLOB))`,
		`INSERT INTO tombstone (id) VALUES (x'0000000000000000000000000000000c')`,
		`INSERT INTO client VALUES (1, 'bob', 'secret-client-id', 'secret-conn', 1)`,
		`INSERT INTO verdict VALUES (1, 1, 1, 1, 'secret-hash', 1, CAST('secret-verdict' AS BLOB))`,
		`INSERT INTO chat (id, user, at, text) VALUES (x'0000000000000000000000000000000d', 'bob', 1700000000123, 'hello')`,
		`INSERT INTO intent VALUES (x'01', 1, CAST('secret-intent' AS BLOB))`,
		`INSERT INTO actor_once VALUES ('secret-key', 'secret-hash', 1, CAST('secret-answer' AS BLOB))`,
		`INSERT INTO actor_alarm VALUES ('secret-alarm', 1, 0)`,
		`DELETE FROM client`, // what was deleted may not be in free pages either
	}
	to := filepath.Join(t.TempDir(), "out.sqlite")
	p, err := canvas.Publish(fileOf(t, rows...), to)
	if err != nil {
		t.Fatal(err)
	}
	if p.Epoch != "e1" || p.Ver != 2 || p.Image.ID != image {
		t.Errorf("published %+v", p)
	}
	b, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("secret")) {
		t.Error("a secret is in the file")
	}
	db, err := sql.Open("sqlite", "file:"+to+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for query, want := range map[string]string{
		`SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name)`:       "annotation,batch,deleted_annotation,easel,image,message",
		`SELECT id || epoch || version || filename || created_at || metadata FROM image`:                           `0000000000000000000000000000000ae12a.png2023-11-14T22:13:20.123Z{"k":1}`,
		`SELECT id || label || rev || version || updated_by || updated_at || ifnull(shape, 'box') FROM annotation`: `0000000000000000000000000000000bcat32bob2023-11-14T22:13:21.000Zbox`,
		`SELECT group_concat(version || at || body) FROM batch`:                                                    `12023-11-14T22:13:20.123Z{"ver":1},22023-11-14T22:13:20.123Z{"ver":2}`,
		`SELECT id FROM deleted_annotation`:                                                                        `0000000000000000000000000000000c`,
		`SELECT id || "by" || text FROM message`:                                                                   `0000000000000000000000000000000dbobhello`,
		`SELECT value FROM easel WHERE name = 'version'`:                                                           "e1:2",
		`PRAGMA user_version`:    fmt.Sprint(canvas.PublicFormat),
		`PRAGMA integrity_check`: "ok",
		`PRAGMA journal_mode`:    "delete",
	} {
		var got string
		if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", query, got, err, want)
		}
	}
	if path, err := exec.LookPath("sqlite3"); err == nil {
		out, err := exec.CommandContext(t.Context(), path, "-readonly", to, "SELECT label FROM annotation").CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "cat" {
			t.Errorf("sqlite3: %v: %s", err, out)
		}
	}
	again := filepath.Join(t.TempDir(), "again.sqlite")
	if _, err := canvas.Publish(fileOf(t, rows...), again); err != nil {
		t.Fatal(err)
	}
	if b2, err := os.ReadFile(again); err != nil || !bytes.Equal(b, b2) {
		t.Errorf("the same image gives other bytes: %v", err)
	}
}

func TestPublishRefusesWhatMayNotBeRead(t *testing.T) {
	for name, tc := range map[string]struct {
		rows []string
		want easel.Code
	}{
		"never born": {nil, easel.CodeNotFound},
		"deleted":    {[]string{rowImage, `UPDATE image SET deleted_at = 1`}, easel.CodeGone},
		"purged":     {[]string{rowImage, `UPDATE image SET purged = 1`}, easel.CodeNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := fileOf(t, tc.rows...), filepath.Join(t.TempDir(), "out")
			if _, err := canvas.Publish(from, to); easel.CodeOf(err) != tc.want {
				t.Errorf("%v, want %s", err, tc.want)
			}
			for _, path := range []string{from, to} {
				if _, err := os.Stat(path); err == nil {
					t.Errorf("%s is left", path)
				}
			}
		})
	}
}

func TestPublishOfAFullImage(t *testing.T) {
	from := fileOf(t, rowImage, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
		INSERT INTO annotation (id, ver, pos, rev, label, x, y, width, height, created_by, created_at, updated_by, updated_at)
		SELECT randomblob(16), i / 500, i % 500, 1, 'label ' || (i % 50), 0.1, 0.2, 0.3, 0.4, 'ann', 1700000000123, 'ann', 1700000000123 FROM n`)
	to := filepath.Join(t.TempDir(), "out")
	began := time.Now()
	if _, err := canvas.Publish(from, to); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(to)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("20,000 annotations: %d KiB in %v", info.Size()>>10, time.Since(began).Round(time.Millisecond))
	db, err := sql.Open("sqlite", "file:"+to+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM annotation").Scan(&n); err != nil || n != 20000 {
		t.Errorf("%d annotations, %v", n, err)
	}
}
