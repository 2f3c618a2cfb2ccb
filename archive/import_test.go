package archive_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/pages"
	"github.com/easelhq/easel/tenant"
)

const movedName = "tenant/" + journal.Name(moved)

// large is an archive of a tenant whose file takes several batches.
func large(t *testing.T) (dir, want string) {
	t.Helper()
	from := newPlace(t)
	from.actor(t, movedName, tenant.FileSchema, `INSERT INTO kv VALUES ('big', 'e', 6000000, 0, 0, zeroblob(6000000))`)
	dir = filepath.Join(t.TempDir(), "out")
	if _, err := from.export(t, dir); err != nil {
		t.Fatal(err)
	}
	return dir, file(t, from.node, movedName)
}

// cutOff is a journal that fails after so many appends.
type cutOff struct {
	*journal.Node
	left *int
}

var errCutOff = errors.New("cut off")

func (c cutOff) Birth(ctx context.Context, n journal.Name, tpl journal.Template) (journal.Term, error) {
	term, err := c.Node.Birth(ctx, n, tpl)
	return cutTerm{term, c.left}, err
}

type cutTerm struct {
	journal.Term
	left *int
}

func (c cutTerm) Append(s pages.Set, done func(error)) {
	if *c.left == 0 {
		done(errCutOff)
		return
	}
	*c.left--
	c.Term.Append(s, done)
}

func (p *place) fillSome(t *testing.T, from string, appends int) error {
	t.Helper()
	_, _, err := archive.Import{From: from, Journal: cutOff{p.node, &appends}, Blobs: p.blobs, Scratch: t.TempDir()}.Run(t.Context())
	return err
}

// TestNobodyFindsHalfAnImportedFile: wherever an import is cut off, an actor is as
// new or whole, and the next run goes on.
func TestNobodyFindsHalfAnImportedFile(t *testing.T) {
	dir, want := large(t)
	template := templateOf(t)
	for appends := range 10 {
		into := newPlace(t)
		err := into.fillSome(t, dir, appends)
		if err == nil {
			if appends < 3 {
				t.Errorf("%d appends were enough", appends)
			}
			return
		}
		if !errors.Is(err, errCutOff) {
			t.Fatal(err)
		}
		if appends > 0 {
			if got := file(t, into.node, movedName); !strings.HasPrefix(got, template) {
				t.Errorf("%d appends: it is neither new nor whole", appends)
			}
		}
		if _, err := into.fill(t, dir); err != nil {
			t.Errorf("%d appends: %v", appends, err)
		}
		if file(t, into.node, movedName) != want {
			t.Errorf("%d appends: it is another file", appends)
		}
	}
	t.Error("it never ends")
}

func templateOf(t *testing.T) string {
	t.Helper()
	s, err := tenant.FileSchema()
	if err != nil {
		t.Fatal(err)
	}
	template, err := s.Template()
	if err != nil {
		t.Fatal(err)
	}
	return string(template.Bytes)
}

// TestImportOverwritesNothingThatWasWrittenMeanwhile: somebody uses the tenant before
// its import has ended.
func TestImportOverwritesNothingThatWasWrittenMeanwhile(t *testing.T) {
	dir, _ := large(t)
	for _, appends := range []int{0, 1, 2} {
		into := newPlace(t)
		if err := into.fillSome(t, dir, appends); !errors.Is(err, errCutOff) {
			t.Fatal(err)
		}
		into.actor(t, movedName, tenant.FileSchema, `INSERT INTO kv VALUES ('new', 'e', 1, 0, 0, x'31')`)
		before := file(t, into.node, movedName)
		if _, err := into.fill(t, dir); !errors.Is(err, archive.ErrTenantUsed) {
			t.Errorf("%d appends: %v, want ErrTenantUsed", appends, err)
		}
		if file(t, into.node, movedName) != before {
			t.Errorf("%d appends: it was overwritten", appends)
		}
	}
}

func TestImportSaysWhatIsNoArchive(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"text.tar": strings.Repeat("no archive at all ", 100), "short.tar": "x", "file": "x", "folder/manifest.json": "{",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		name, _, _ = strings.Cut(name, "/")
		_, err := newPlace(t).fill(t, filepath.Join(dir, name))
		if !errors.Is(err, archive.ErrNotArchive) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
