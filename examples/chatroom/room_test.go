package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/easelhq/easel"
)

func say(t *testing.T, dir string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), dir, args, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRoomRemembersAcrossRuns(t *testing.T) {
	dir := t.TempDir()
	say(t, dir, "lobby", "ada", "hello")
	say(t, dir, "attic", "eve", "anyone?")
	if err := os.RemoveAll(filepath.Join(dir, "work")); err != nil {
		t.Fatal(err)
	}
	if got, want := say(t, dir, "lobby", "bob", "hi"), "bob: hi\nada: hello\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRoomThatNeverHeardALineIsNotFound(t *testing.T) {
	err := run(t.Context(), t.TempDir(), []string{"nowhere"}, &bytes.Buffer{})
	if easel.CodeOf(err) != easel.CodeNotFound {
		t.Errorf("got %v", err)
	}
}
