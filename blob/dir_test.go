package blob_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/blob/blobtest"
)

func openDir(t testing.TB, path string) *blob.Dir {
	t.Helper()
	d, err := blob.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestDirFulfilsTheContract(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return openDir(t, t.TempDir()) })
}

func TestDirKeepsObjectsAndVersionsWhenOpenedAgain(t *testing.T) {
	path := t.TempDir()
	first, err := openDir(t, path).Put(t.Context(), "a/b", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := openDir(t, path).Stat(t.Context(), "a/b")
	if err != nil || got.Version != first.Version || !got.Modified.Equal(first.Modified) {
		t.Errorf("got %+v, %v; want %+v", got, err, first)
	}
}

func TestDirStoresPlainFiles(t *testing.T) {
	path := t.TempDir()
	if _, err := openDir(t, path).Put(t.Context(), "a/b.png", strings.NewReader("bytes")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(path, "a+", "b.png")); err != nil || string(got) != "bytes" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestDirSweepsWhatWritesLeftBehind(t *testing.T) {
	path := t.TempDir()
	openDir(t, path)
	left := filepath.Join(path, "+tmp", "left")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := openDir(t, path)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
	if got, err := d.List(t.Context(), "", "", 10); err != nil || len(got) != 0 {
		t.Errorf("listed: %v, %v", got, err)
	}
}

func TestDirLeavesNothingBehind(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	ctx := t.Context()
	if _, err := d.PutIfAbsent(ctx, "a/b/c", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.PutIfAbsent(ctx, "a/b/c", []byte("x")); !errors.Is(err, blob.ErrExists) {
		t.Fatal(err)
	}
	if _, err := d.Put(ctx, "a/b/c", io.MultiReader(strings.NewReader("x"), failing{})); err == nil {
		t.Fatal("no error")
	}
	if err := d.Delete(ctx, "a/b/c"); err != nil {
		t.Fatal(err)
	}
	var left []string
	err := filepath.WalkDir(path, func(p string, _ os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(path, p); rel != "." && rel != "+tmp" {
			left = append(left, rel)
		}
		return err
	})
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestDirDoesNotFollowLinksOutOfTheFolder(t *testing.T) {
	path, outside := t.TempDir(), t.TempDir()
	d := openDir(t, path)
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(path, "out+")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Get(t.Context(), "out/secret", blob.All); err == nil {
		t.Error("read outside the folder")
	}
	if _, err := d.Put(t.Context(), "out/new", strings.NewReader("x")); err == nil {
		t.Error("wrote outside the folder")
	}
	if got, _ := d.List(t.Context(), "", "", 10); len(got) != 0 {
		t.Errorf("listed %v", got)
	}
}

func TestDirWritesAgainWhereSomebodyRemovedTheFolder(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	for range 2 {
		if _, err := d.Put(t.Context(), "a/b/c", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(path, "a+")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDirGivesUpWhenTheWholeFolderIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	d := openDir(t, path)
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Put(t.Context(), "a/b", strings.NewReader("x")); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestDirStreamsInConstantMemory(t *testing.T) {
	d := openDir(t, t.TempDir())
	const size = 64 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := d.Put(t.Context(), "big", io.LimitReader(zeros{}, size)); err != nil {
		t.Fatal(err)
	}
	r, _, err := d.Get(t.Context(), "big", blob.All)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, r); n != size || err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 2<<20 {
		t.Errorf("allocated %d bytes", grown)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("boom") }
