package gallery_test

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"
	"testing"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/gallery"
)

// reads counts what is read from a store.
type reads struct {
	blob.Store
	n *atomic.Int64
}

func (r reads) Get(ctx context.Context, key string, span blob.Range) (io.ReadCloser, blob.Info, error) {
	r.n.Add(1)
	return r.Store.Get(ctx, key, span)
}

func TestAnUploadReadsBackNoMoreThanItMust(t *testing.T) {
	var n atomic.Int64
	r := newRig(t, func(c *gallery.Config) { c.Blobs = reads{c.Blobs, &n} })
	for _, tt := range []struct {
		name          string
		data          []byte
		width, height int
		most          int64
	}{
		{"small", picture(40, 30), 40, 30, 0},
		{"padded", append(picture(41, 30), make([]byte, 300<<10)...), 41, 30, 0},
		{"as long as a block", append(picture(42, 30), make([]byte, 64<<10-len(picture(42, 30)))...), 42, 30, 0},
		{"large", noise(300, 1), 300, 300, 100},
	} {
		n.Store(0)
		got, err := r.Upload(t.Context(), anna, gallery.Upload{Filename: "x.png", Body: bytes.NewReader(tt.data)})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got.Width != tt.width || got.Height != tt.height || n.Load() > tt.most {
			t.Errorf("%s: %d x %d after %d reads, want %d x %d after %d", tt.name, got.Width, got.Height, n.Load(), tt.width, tt.height, tt.most)
		}
	}
	large := noise(300, 1)
	_, err := r.Upload(t.Context(), anna, gallery.Upload{Filename: "x.png", Body: bytes.NewReader(large[:len(large)-20])})
	wantCode(t, err, "unsupported_media")
}
