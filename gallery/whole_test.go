package gallery_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/gallery"
)

// objectOf returns the file in which the store keeps content.
func (r *rig) objectOf(content []byte) (path string) {
	r.t.Helper()
	err := filepath.WalkDir(filepath.Join(r.dir, "blobs"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if err == nil && bytes.Equal(b, content) {
			path = name
		}
		return err
	})
	if err != nil || path == "" {
		r.t.Fatalf("the store does not have it: %v", err)
	}
	return path
}

func TestDamagedObjectIsNeverServedWhole(t *testing.T) {
	r := newRig(t, nil)
	image, file := picture(60, 40), bytes.Repeat([]byte("notes "), 9000)
	m, err := r.Upload(t.Context(), anna, gallery.Upload{Filename: "a.png", Body: bytes.NewReader(image)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.PutFile(t.Context(), adam, gallery.FileUpload{Name: "notes", Body: bytes.NewReader(file)}); err != nil {
		t.Fatal(err)
	}
	open := map[string]func() gallery.Content{
		"image": func() gallery.Content {
			c, err := r.Image(t.Context(), anna, m.ID)
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
		"file": func() gallery.Content {
			_, c, err := r.File(t.Context(), anna, "notes")
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
	}
	for what, content := range map[string][]byte{"image": image, "file": file} {
		object := r.objectOf(content)
		if got := read(t, open[what](), blob.All); !bytes.Equal(got, content) {
			t.Fatalf("%s: %d bytes, want %d", what, len(got), len(content))
		}
		for damage, bad := range map[string][]byte{
			"first bit":  flipped(content, 0),
			"middle bit": flipped(content, len(content)/2),
			"last bit":   flipped(content, len(content)-1),
			"cut":        content[:len(content)-1],
			"halved":     content[:len(content)/2],
			"emptied":    {},
		} {
			if err := os.WriteFile(object, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, all := range []blob.Range{blob.All, {Length: int64(len(content))}} {
				body, err := open[what]().Open(t.Context(), all)
				if err != nil {
					continue // it is noticed even earlier
				}
				got, err := io.ReadAll(body)
				_ = body.Close()
				if err == nil || len(got) >= len(content) {
					t.Errorf("%s, %s: served %d of %d bytes, %v", what, damage, len(got), len(content), err)
				}
			}
		}
		if err := os.WriteFile(object, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func flipped(content []byte, at int) []byte {
	b := bytes.Clone(content)
	b[at] ^= 1
	return b
}
