package journal_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// notes is an Auditor that remembers.
type notes struct {
	kinds map[journal.ObjectKind]int
	finds []journal.Finding
}

func (n *notes) Checked(kind journal.ObjectKind, _ int64) {
	if n.kinds == nil {
		n.kinds = map[journal.ObjectKind]int{}
	}
	n.kinds[kind]++
}

func (n *notes) Found(f journal.Finding) { n.finds = append(n.finds, f) }

// wrong returns what was found that is not harmless.
func (n *notes) wrong() []journal.Finding {
	return slices.DeleteFunc(slices.Clone(n.finds), func(f journal.Finding) bool { return f.What.Harmless() })
}

func (n *notes) has(what journal.What) bool {
	return slices.ContainsFunc(n.finds, func(f journal.Finding) bool { return f.What == what })
}

// folder makes a folder that holds a bit of everything, at rest, and returns how
// far each actor came.
func folder(t *testing.T) (dir string, last map[journal.Name]int) {
	t.Helper()
	dir, last = filepath.Join(t.TempDir(), "journal"), map[journal.Name]int{}
	write := func(n *journal.Node, name journal.Name, to int) {
		t.Helper()
		term, err := n.Birth(t.Context(), name, journaltest.Template())
		if err != nil {
			t.Fatal(err)
		}
		for last[name] < to {
			last[name]++
			if err := journaltest.Append(term, journaltest.Batch(name, last[name])); err != nil {
				t.Fatal(err)
			}
		}
	}
	live := func(compact bool, to int, names ...journal.Name) {
		n, err := journal.OpenNode(journal.NodeOptions{Dir: dir, CompactBytes: 4096}.WithMaxMerges(3))
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		for _, name := range names {
			write(n, name, to)
		}
		if compact {
			if err := n.Compact(); err != nil {
				t.Fatal(err)
			}
		}
	}
	a, b := journal.Name("image/t/a"), journal.Name("image/t/b")
	for to := 10; to <= 60; to += 10 {
		live(true, to, a)
	}
	live(true, 5, b, "image/t/gone")
	n, err := journal.OpenNode(journal.NodeOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Erase(t.Context(), "image/t/gone"); err != nil {
		t.Fatal(err)
	}
	write(n, b, 9)
	write(n, "image/t/young", 4)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	delete(last, "image/t/gone")
	return dir, last
}

// tree returns every file below dir with its content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, dir+"/")] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func auditFolder(t *testing.T, dir string) *notes {
	t.Helper()
	n := &notes{}
	if err := journal.Audit(t.Context(), dir, n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAuditOfASoundFolderFindsNothingAndChangesNothing(t *testing.T) {
	dir, _ := folder(t)
	before := tree(t, dir)
	n := auditFolder(t, dir)
	if len(n.wrong()) > 0 {
		t.Errorf("found %+v", n.wrong())
	}
	for _, kind := range []journal.ObjectKind{
		journal.ObjectSegment, journal.ObjectBatch, journal.ObjectHead, journal.ObjectTombstone,
		journal.ObjectSnapshot, journal.ObjectTemplate,
	} {
		if n.kinds[kind] == 0 {
			t.Errorf("no %s was looked at: %v", kind, n.kinds)
		}
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("the folder was changed: %s", diff)
	}
}

// TestAuditNoticesEveryDamageOfAFolder flips a bit of every file, and deletes it.
func TestAuditNoticesEveryDamageOfAFolder(t *testing.T) {
	dir, _ := folder(t)
	for name, content := range tree(t, dir) {
		path := filepath.Join(dir, name)
		if len(content) <= 128 && strings.HasPrefix(name, "log/") {
			continue // a segment that was only begun: nothing is lost with it
		}
		end := len(content) - 3
		if strings.HasPrefix(name, "log/") {
			end -= 100 // before the mark, which belongs to nobody
		}
		for _, at := range []int{0, len(content) / 2, end} {
			b := []byte(content)
			b[at] ^= 4
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			// Of a segment's header there are two copies.
			if n := auditFolder(t, dir); len(n.wrong()) == 0 && !(at == 0 && strings.HasPrefix(name, "log/")) {
				t.Errorf("bit flipped at %d of %d in %s: not noticed (%v)", at, len(content), name, n.finds)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		n := auditFolder(t, dir)
		// Nobody vouches for an erased actor's tombstone, nor for the newest segment.
		if len(n.wrong()) == 0 && !strings.Contains(name, "gone/head") && !strings.HasPrefix(name, "log/") {
			t.Errorf("%s was deleted: not noticed", name)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	leftover := filepath.Join(dir, "actors", fan(t, dir, "image.t.a"), "image.t.a", "l1-0000000000000000-0000000000000009")
	if err := os.WriteFile(leftover, []byte("rest"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := auditFolder(t, dir); len(n.wrong()) > 0 || !n.has(journal.Unreferenced) {
		t.Errorf("of a leftover file: %+v", n.finds)
	}
}

func fan(t *testing.T, dir, actor string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "actors", "*", actor))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	return filepath.Base(filepath.Dir(found[0]))
}

// TestAuditNoticesEveryDamageOfABucket flips a bit of every object, and deletes
// it.
func TestAuditNoticesEveryDamageOfABucket(t *testing.T) {
	p := newPast(t)
	look := func(p *past) *notes {
		n := &notes{}
		if err := journal.AuditBucket(t.Context(), journal.BucketOptions{Store: p.store}, n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	sound := look(p)
	if len(sound.wrong()) > 0 {
		t.Fatalf("of a sound bucket: %+v", sound.wrong())
	}
	for _, kind := range []journal.ObjectKind{
		journal.ObjectBatch, journal.ObjectSeal, journal.ObjectHead, journal.ObjectSnapshot, journal.ObjectMerge, journal.ObjectTemplate,
	} {
		if sound.kinds[kind] == 0 {
			t.Errorf("no %s was looked at: %v", kind, sound.kinds)
		}
	}
	for _, key := range p.store.Keys() {
		size := len(p.store.Bytes(key))
		for _, at := range []int{0, size / 2, size - 3} {
			flipped := p.with(func(s *journaltest.Store) {
				b := bytes.Clone(s.Bytes(key))
				b[at] ^= 4
				if _, err := s.Put(t.Context(), key, bytes.NewReader(b)); err != nil {
					t.Fatal(err)
				}
			})
			if n := look(flipped); len(n.wrong()) == 0 && size != 100 { // a torn slot is no object at all
				t.Errorf("bit flipped at %d of %d in %s: not noticed (%v)", at, size, key, n.finds)
			}
		}
		deleted := p.with(func(s *journaltest.Store) { _ = s.Delete(context.Background(), key) })
		if n := look(deleted); len(n.wrong()) == 0 && !vouchless(p, key) {
			t.Errorf("%s was deleted: not noticed", key)
		}
	}
}

// vouchless reports whether nothing else tells that an object was there: the end
// of a last term, and what ends an older one that holds no more batches.
func vouchless(p *past, key string) bool {
	for _, log := range p.open {
		if strings.HasPrefix(key, log) {
			return true
		}
	}
	b := p.store.Bytes(key)
	return strings.Contains(key, "/log/") && len(b) <= 100
}

func TestCopyIsTheActorsFile(t *testing.T) {
	dir, want := folder(t)
	before := tree(t, dir)
	n, err := journal.View(journal.NodeOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	p := newPast(t)
	b, err := journal.ViewBucket(journal.BucketOptions{Store: p.store})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	keys := p.store.Keys()
	for _, home := range []struct {
		name string
		r    journal.Reader
		want map[journal.Name]int
	}{{"folder", n, want}, {"bucket", b, p.last}} {
		t.Run(home.name, func(t *testing.T) {
			var names []journal.Name
			if err := home.r.Names(t.Context(), "image", func(n journal.Name) bool { names = append(names, n); return true }); err != nil {
				t.Fatal(err)
			}
			slices.Sort(names)
			if diff := cmp.Diff(slices.Sorted(maps.Keys(home.want)), names); diff != "" {
				t.Error(diff)
			}
			for name, last := range home.want {
				path := filepath.Join(t.TempDir(), "copy")
				at, err := home.r.Copy(t.Context(), name, path)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				got, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if at != uint64(last) || string(got) != string(journaltest.State(name, last)) {
					t.Errorf("%s: batch %d, want %d, or other bytes", name, at, last)
				}
			}
			if _, err := home.r.Copy(t.Context(), "image/t/never", filepath.Join(t.TempDir(), "x")); !errors.Is(err, journal.ErrNotFound) {
				t.Errorf("of an actor that never was: %v", err)
			}
		})
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("the folder was changed: %s", diff)
	}
	if diff := cmp.Diff(keys, p.store.Keys()); diff != "" {
		t.Errorf("the bucket was changed: %s", diff)
	}
}

// TestCopyOfALiveBucketIsOneMoment copies while the owner appends and compacts.
func TestCopyOfALiveBucketIsOneMoment(t *testing.T) {
	store := journaltest.NewStore()
	owner := openBucket(t, journal.BucketOptions{Store: store}.WithCompactSlots(4))
	const name = journal.Name("image/t/busy")
	term, err := owner.Birth(t.Context(), name, journaltest.Template())
	if err != nil {
		t.Fatal(err)
	}
	if err := journaltest.Append(term, journaltest.Batch(name, 1)); err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 2; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if err := journaltest.Append(term, journaltest.Batch(name, i)); err != nil {
				done <- err
				return
			}
		}
	}()
	reader, err := journal.ViewBucket(journal.BucketOptions{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for prev := uint64(0); prev < 200; {
		path := filepath.Join(t.TempDir(), "copy")
		at, err := reader.Copy(t.Context(), name, path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if at < prev || string(got) != string(journaltest.State(name, int(at))) {
			t.Fatalf("batch %d after %d, or other bytes", at, prev)
		}
		prev = at
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShareDirKeepsNodesOffAndReadersNot(t *testing.T) {
	dir := t.TempDir()
	if l, err := journal.ShareDir(dir); err != nil {
		t.Error(err)
	} else if err := l.Close(); err != nil {
		t.Error(err)
	}
	node, err := journal.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.ShareDir(dir); !errors.Is(err, journal.ErrLocked) || !strings.Contains(err.Error(), "pid") {
		t.Errorf("beside a node: %v", err)
	}
	node.Close()
	one, err := journal.ShareDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	two, err := journal.ShareDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	one.Close()
	if _, err := journal.LockDir(dir); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("a node beside a reader: %v", err)
	}
}
