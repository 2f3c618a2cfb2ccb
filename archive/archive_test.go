package archive_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/pages"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/tenant"
)

// place is a folder home.
type place struct {
	dir   string
	node  *journal.Node
	blobs *blob.Dir
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{dir: t.TempDir()}
	var err error
	if p.node, err = journal.OpenNode(journal.NodeOptions{Dir: filepath.Join(p.dir, "journal")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.node.Close() })
	if p.blobs, err = blob.OpenDir(filepath.Join(p.dir, "blobs")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.blobs.Close() })
	return p
}

// actor makes an actor whose file is a fresh one of its kind.
// rows are statements that change it.
func (p *place) actor(t *testing.T, name journal.Name, schema func() (*sqlite.Schema, error), rows ...string) {
	t.Helper()
	s, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	template, err := s.Template()
	if err != nil {
		t.Fatal(err)
	}
	term, err := p.node.Birth(t.Context(), name, template)
	if err != nil {
		t.Fatal(err)
	}
	set, err := pages.FromDatabase(changed(t, s, template.Bytes, rows))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	term.Append(set, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// changed returns the bytes of a file after some statements.
func changed(t *testing.T, s *sqlite.Schema, b []byte, rows []string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(path, s)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if _, err := tx.Exec(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(db.Commit(), db.Close()); err != nil {
		t.Fatal(err)
	}
	if b, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return b
}

const moved = easel.TenantID("0123456789abcdef0123456789abcdee")

// filled is a home with one tenant of one image and blobs of kinds that nobody
// knows.
func filled(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	p.actor(t, "tenant/"+journal.Name(moved), tenant.FileSchema)
	p.actor(t, "image/"+journal.Name(moved)+"/"+journal.Name(strings.Repeat("1", 32)), canvas.FileSchema)
	for _, key := range []string{"t/" + string(moved) + "/f/1", "hist/" + string(moved) + "/a/b", "zzz/" + string(moved) + "/c", "t/" + strings.Repeat("f", 32) + "/f/2"} {
		if _, err := p.blobs.Put(t.Context(), key, strings.NewReader("of "+key)); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *place) export(t *testing.T, to string) (archive.Summary, error) {
	t.Helper()
	return archive.Export{
		Histories: p.node, Blobs: p.blobs, Tenant: "acme", ID: moved, To: to, Scratch: t.TempDir(), MadeBy: "test",
	}.Run(t.Context())
}

func (p *place) fill(t *testing.T, from string) (archive.Summary, error) {
	t.Helper()
	_, sum, err := archive.Import{From: from, Journal: p.node, Blobs: p.blobs, Scratch: t.TempDir()}.Run(t.Context())
	return sum, err
}

func (p *place) keys(t *testing.T) []string {
	t.Helper()
	found, err := p.blobs.List(t.Context(), "", "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, o := range found {
		out = append(out, o.Key)
	}
	return out
}

func TestBlobsOfEveryKindMove(t *testing.T) {
	for _, form := range []string{"folder", "file.tar"} {
		t.Run(form, func(t *testing.T) {
			from, to := filled(t), filepath.Join(t.TempDir(), form)
			out, err := from.export(t, to)
			if err != nil || out.Actors != 2 || out.Blobs != 3 || out.Moved != 5 || len(out.Wrong) > 0 {
				t.Fatalf("exported %+v, %v", out, err)
			}
			if again, err := from.export(t, to); err != nil || again.Moved != 0 || again.Bytes != out.Bytes {
				t.Errorf("again %+v, %v", again, err)
			}
			into := newPlace(t)
			in, err := into.fill(t, to)
			if err != nil || in.Actors != 2 || in.Blobs != 3 || in.Bytes != out.Bytes {
				t.Fatalf("imported %+v, %v", in, err)
			}
			want := slices.DeleteFunc(from.keys(t), func(k string) bool { return !strings.Contains(k, string(moved)) })
			if diff := cmp.Diff(want, into.keys(t)); diff != "" {
				t.Error(diff)
			}
			for _, name := range []journal.Name{"tenant/" + journal.Name(moved), "image/" + journal.Name(moved) + "/" + journal.Name(strings.Repeat("1", 32))} {
				if a, b := file(t, from.node, name), file(t, into.node, name); a != b {
					t.Errorf("%s is another file", name)
				}
			}
			if _, err := into.fill(t, to); !errors.Is(err, archive.ErrTenantExists) {
				t.Errorf("over a tenant: %v", err)
			}
		})
	}
}

func file(t *testing.T, r journal.Reader, name journal.Name) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if _, err := r.Copy(t.Context(), name, path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAnExportThatWasCutOffAnywhereGoesOn cuts a tar at many places.
func TestAnExportThatWasCutOffAnywhereGoesOn(t *testing.T) {
	from, to := filled(t), filepath.Join(t.TempDir(), "out.tar")
	if _, err := from.export(t, to); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += len(whole)/11 + 1 {
		if err := os.WriteFile(to, whole[:at], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := from.export(t, to); err != nil {
			t.Fatalf("cut at %d: %v", at, err)
		}
		if _, err := newPlace(t).fill(t, to); err != nil {
			t.Fatalf("cut at %d: %v", at, err)
		}
	}
	if err := os.WriteFile(to, []byte(strings.Repeat("no archive at all ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := from.export(t, to); err == nil {
		t.Error("a file that is no archive was overwritten")
	}
}

func TestImportRefusesWhatIsNotItsTenants(t *testing.T) {
	from := filled(t)
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := from.export(t, dir); err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"another tenant's actor": {`"actor": "image/` + string(moved), `"actor": "image/` + strings.Repeat("e", 32)},
		"a blob outside":         {`"blob": "t/{tenant}/f/1"`, `"blob": "keys/root"`},
		"a part outside":         {`"name": "blobs/t/f/1"`, `"name": "../../../etc/hosts"`},
		"a newer format":         {`"format": 1`, `"format": 2`},
		"a newer schema":         {`"schema": `, `"schema": 9`},
		"another sum":            {`"sha256": "`, `"sha256": "00`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(string(manifest), change[0], change[1], 1)
			if text == string(manifest) {
				t.Fatal("the manifest has no such thing")
			}
			if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			into := newPlace(t)
			if _, err := into.fill(t, dir); err == nil {
				t.Error("it was imported")
			}
			names := map[journal.Name]bool{}
			if err := into.node.Names(t.Context(), "tenant", func(n journal.Name) bool { names[n] = true; return true }); err != nil || len(names) > 0 {
				t.Errorf("tenants %v, %v", slices.Collect(maps.Keys(names)), err)
			}
		})
	}
}

// TestAlarmsComeAlong: what an actor has set must ring in the new home too, though
// nobody asks for it there.
func TestAlarmsComeAlong(t *testing.T) {
	from := newPlace(t)
	from.actor(t, "tenant/"+journal.Name(moved), tenant.FileSchema, `INSERT INTO actor_alarm VALUES ('tidy', 4000000000000, 0)`)
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := from.export(t, dir); err != nil {
		t.Fatal(err)
	}
	into := newPlace(t)
	if _, err := into.fill(t, dir); err != nil {
		t.Fatal(err)
	}
	var entries []string
	err := into.node.Names(t.Context(), "timer", func(n journal.Name) bool {
		if text := file(t, into.node, n); strings.Contains(text, "tenant"+string(moved)) {
			entries = append(entries, string(n))
		}
		return true
	})
	if err != nil || len(entries) != 1 {
		t.Errorf("timers %v know of it, %v", entries, err)
	}
}

func TestImportOfAnErasedTenantIsRefused(t *testing.T) {
	from := filled(t)
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := from.export(t, dir); err != nil {
		t.Fatal(err)
	}
	into := newPlace(t)
	into.actor(t, "tenant/"+journal.Name(moved), tenant.FileSchema)
	if err := into.node.Erase(t.Context(), "tenant/"+journal.Name(moved)); err != nil {
		t.Fatal(err)
	}
	if _, err := into.fill(t, dir); !errors.Is(err, archive.ErrTenantErased) {
		t.Errorf("%v", err)
	}
	if keys := into.keys(t); len(keys) > 0 {
		t.Errorf("written: %v", keys)
	}
}
