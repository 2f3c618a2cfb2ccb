package journal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/pages"
)

func TestNodeKeepsWhatItAcknowledged(t *testing.T) {
	dir := t.TempDir()
	n, err := journal.OpenNode(journal.NodeOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	tmpl := bytes.Repeat([]byte{1}, 8192)
	sum := sha256.Sum256(tmpl)
	term, err := n.Birth(t.Context(), "image/a/b", journal.Template{ID: hex.EncodeToString(sum[:]), Bytes: tmpl})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	term.Append(pages.Set{PageSize: 4096, Size: 2, Pages: []pages.Page{{No: 2, Data: bytes.Repeat([]byte{7}, 4096)}}}, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n, err = journal.OpenNode(journal.NodeOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	term, err = n.Claim(t.Context(), "image/a/b")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "db")
	if err := term.Restore(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := append(bytes.Repeat([]byte{1}, 4096), bytes.Repeat([]byte{7}, 4096)...)
	if !bytes.Equal(got, want) {
		t.Error("the restored file differs")
	}
}
