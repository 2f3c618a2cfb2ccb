package archive_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/journal"
)

// watchedReader counts copies, and makes those of one tenant wait.
type watchedReader struct {
	journal.Reader
	copies atomic.Int64
	slow   easel.TenantID
	gate   chan struct{}
}

func (w *watchedReader) Copy(ctx context.Context, n journal.Name, path string) (uint64, error) {
	w.copies.Add(1)
	if w.slow != "" && strings.Contains(string(n), string(w.slow)) {
		<-w.gate
	}
	return w.Reader.Copy(ctx, n, path)
}

const bornImage = `INSERT INTO image (one, id, epoch, filename, content_type, size, sha256, uploaded_by, created_at, metadata, changes)
	VALUES (1, x'11111111111111111111111111111111', 'e', 'a.png', 'image/png', 1, '', 'ann', 1, '{}', 1)`

func (p *place) image(t *testing.T, id easel.TenantID, image string, rows ...string) easel.ID {
	t.Helper()
	p.actor(t, "image/"+journal.Name(id)+"/"+journal.Name(image), canvas.FileSchema, append([]string{bornImage}, rows...)...)
	return easel.ID(image)
}

func TestOneCopyIsSharedByAllWhoAskForItsState(t *testing.T) {
	p := newPlace(t)
	image := p.image(t, moved, strings.Repeat("1", 32))
	r := &watchedReader{Reader: p.node}
	copies, err := archive.NewCopies(r, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	first, err := copies.Image(t.Context(), moved, image, "")
	if err != nil {
		t.Fatal(err)
	}
	now := canvas.ImageReply{Epoch: "e", Seq: 1}.Tag()
	if first.Tag != now {
		t.Fatalf("tag %q, want %q", first.Tag, now)
	}
	all, err := io.ReadAll(io.NewSectionReader(first, 0, first.Size))
	if err != nil || !strings.HasPrefix(string(all), "SQLite format 3") {
		t.Fatalf("%d bytes, %v", len(all), err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			c, err := copies.Image(t.Context(), moved, image, now)
			if err != nil {
				t.Error(err)
				return
			}
			part, err := io.ReadAll(io.NewSectionReader(c, int64(100*i), 100))
			if err = errors.Join(err, c.Close()); err != nil || string(part) != string(all[100*i:100*i+100]) {
				t.Errorf("part %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := r.copies.Load(); n != 1 {
		t.Errorf("%d copies were made, want 1", n)
	}
	// Another state is another copy, and those who still read the old one may.
	old, err := copies.Image(t.Context(), moved, image, now)
	if err != nil {
		t.Fatal(err)
	}
	next, err := copies.Image(t.Context(), moved, image, "another")
	if err != nil {
		t.Fatal(err)
	}
	if n := r.copies.Load(); n != 2 {
		t.Errorf("%d copies were made, want 2", n)
	}
	if got, err := io.ReadAll(io.NewSectionReader(old, 0, old.Size)); err != nil || string(got) != string(all) {
		t.Errorf("the old one: %d bytes, %v", len(got), err)
	}
	if err := errors.Join(old.Close(), next.Close()); err != nil {
		t.Error(err)
	}
}

// TestCopiesOfOneTenantLeaveRoomForOthers: one has many images that take long.
func TestCopiesOfOneTenantLeaveRoomForOthers(t *testing.T) {
	const other = easel.TenantID("fedcba9876543210fedcba9876543210")
	p := newPlace(t)
	r := &watchedReader{Reader: p.node, slow: moved, gate: make(chan struct{})}
	copies, err := archive.NewCopies(r, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, digit := range "2345" {
		image := p.image(t, moved, strings.Repeat(string(digit), 32))
		wg.Go(func() {
			c, err := copies.Image(t.Context(), moved, image, "")
			if err != nil {
				t.Error(err)
				return
			}
			_ = c.Close() // it was only held
		})
	}
	image := p.image(t, other, strings.Repeat("6", 32))
	for range 3 {
		c, err := copies.Image(t.Context(), other, image, "new each time")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	close(r.gate)
	wg.Wait()
}

func TestCopyIsGivenUpWithItsRequest(t *testing.T) {
	p := newPlace(t)
	image := p.image(t, moved, strings.Repeat("1", 32))
	r := &watchedReader{Reader: p.node, slow: moved, gate: make(chan struct{})}
	copies, err := archive.NewCopies(r, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := copies.Image(over, moved, image, ""); easel.CodeOf(err) != easel.CodeOverloaded {
		t.Errorf("%v, want overloaded", err)
	}
	close(r.gate)
	c, err := copies.Image(t.Context(), moved, image, "") // what was begun is of use to the next
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := copies.Image(t.Context(), moved, easel.ID(strings.Repeat("9", 32)), ""); easel.CodeOf(err) != easel.CodeNotFound {
		t.Errorf("of no image: %v", err)
	}
}
