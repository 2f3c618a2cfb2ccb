package gallery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
)

var rita = principal(homeTenant, "rita", easel.Reviewer)

func TestArchiveTakesRepeatsAndMendsDamage(t *testing.T) {
	store, err := blob.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var log bytes.Buffer
	a := gallery.Archive{Blobs: store, Log: slog.New(slog.NewTextHandler(&log, nil))}
	image := easel.NewID()
	if _, err := a.Get(t.Context(), homeTenant, image, "ops-1"); easel.CodeOf(err) != easel.CodeGone {
		t.Errorf("got %v", err)
	}
	for _, content := range []string{"whole", "whole", "another"} {
		if err := a.Put(t.Context(), homeTenant, image, "ops-1", []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := a.Get(t.Context(), homeTenant, image, "ops-1"); err != nil || string(got) != content {
			t.Errorf("got %q %v, want %q", got, err, content)
		}
	}
	if !strings.Contains(log.String(), "damaged") {
		t.Errorf("the log says %q", log.String())
	}
	for range 2 {
		if err := a.Delete(t.Context(), homeTenant, image, "ops-1"); err != nil {
			t.Error(err)
		}
	}
}

// write applies one batch of puts by anna.
func (r *rig) write(image easel.ID, ids ...easel.ID) {
	r.t.Helper()
	var ops []easel.Op
	for _, id := range ids {
		ops = append(ops, easel.Op{Kind: easel.OpPut, ID: id, Draft: &easel.Draft{Label: "x", Width: 0.1, Height: 0.1}})
	}
	must[canvas.Applied](r, canvas.Key(homeTenant, image), canvas.Apply{By: canvas.Author{User: "anna", Role: easel.Annotator}, Ops: ops})
}

func fresh(n int) (ids []easel.ID) {
	for range n {
		ids = append(ids, easel.NewID())
	}
	return ids
}

func (r *rig) history(image easel.ID) []string {
	r.t.Helper()
	return slices.DeleteFunc(r.stored(), func(key string) bool {
		return !strings.Contains(key, string(image)) || !strings.Contains(key, "hist-")
	})
}

func (r *rig) countAt(image easel.ID, ver int64) (int64, error) {
	r.t.Helper()
	then, err := r.ImageAt(r.t.Context(), vera, image, canvas.Moment{Ver: ver})
	if err != nil {
		return 0, err
	}
	list, err := r.AnnotationsAt(r.t.Context(), vera, image, canvas.Moment{Ver: ver}, canvas.List{})
	if err != nil {
		return 0, err
	}
	if n := int64(bytes.Count(list.Body, []byte(`"rev":`))); n != then.Image.AnnotationCount || list.Ver != ver || then.Ver != ver {
		r.t.Errorf("version %d: %d annotations, the row says %d of version %d", ver, n, then.Image.AnnotationCount, then.Ver)
	}
	return then.Image.AnnotationCount, nil
}

// TestThePastIsReadWhileItMoves reads states while batches leave the log.
func TestThePastIsReadWhileItMoves(t *testing.T) {
	r := newRig(t, nil)
	image := r.upload(anna, "a.png").ID
	const n = 90
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			for v := int64(0); ; v = (v + 7) % n {
				select {
				case <-done:
					return
				default:
				}
				got, err := r.countAt(image, v)
				if code := easel.CodeOf(err); code != easel.CodeInvalid && (err != nil || got != v) {
					t.Errorf("version %d has %d: %v", v, got, err)
					return
				}
			}
		})
	}
	for range n {
		r.write(image, fresh(1)...)
	}
	close(done)
	wg.Wait()
	r.until("batches have left the log", func() bool { return len(r.history(image)) > 7 })
	r.restart(0)
	for v := range int64(n + 1) {
		if got, err := r.countAt(image, v); err != nil || got != v {
			t.Fatalf("version %d has %d: %v", v, got, err)
		}
	}
	_, err := r.ImageAt(t.Context(), other, image, canvas.Moment{})
	wantCode(t, err, easel.CodeNotFound)
	ticket := vera
	ticket.Image = easel.NewID()
	_, err = r.AnnotationsAt(t.Context(), ticket, image, canvas.Moment{}, canvas.List{})
	wantCode(t, err, easel.CodeNotFound)
}

// TestChoresKnowHistory: a sweep leaves what a live image has, a purge nothing.
func TestChoresKnowHistory(t *testing.T) {
	r := newRig(t, nil)
	image := r.upload(anna, "a.png").ID
	for range 45 {
		r.write(image, fresh(1)...)
	}
	r.until("batches have left the log", func() bool { return len(r.history(image)) >= 3 })
	before := r.history(image)
	r.ahead.Add(int64(48 * time.Hour))
	sweep := func() {
		t.Helper()
		for _, chore := range []func(context.Context) (gallery.Report, error){r.SweepOrphans, r.DrainDrops} {
			if _, err := chore(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	sweep()
	r.ahead.Add(int64(48 * time.Hour))
	sweep()
	after := r.history(image) // more batches may have left the log meanwhile
	for _, object := range before {
		if !slices.Contains(after, object) {
			t.Errorf("the sweep took %s", object)
		}
	}
	if got, err := r.countAt(image, 3); err != nil || got != 3 {
		t.Errorf("got %d, %v", got, err)
	}
	must[canvas.Empty](r, canvas.Key(homeTenant, image), canvas.SoftDelete{By: canvas.Author{User: "anna", Role: easel.Annotator}})
	_, err := r.countAt(image, 3)
	wantCode(t, err, easel.CodeGone)
	r.until("the row has followed", func() bool { return len(r.listed()) == 0 })
	r.ahead.Add(int64(31 * 24 * time.Hour))
	if _, err := r.PurgeImages(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.history(image); len(got) != 0 {
		t.Errorf("left after the purge: %v", got)
	}
}

// TestMissingHistoryIsNotGone: what a file names and is not there is damage.
func TestMissingHistoryIsNotGone(t *testing.T) {
	r := newRig(t, nil)
	image := r.upload(anna, "a.png").ID
	for range 45 {
		r.write(image, fresh(1)...)
	}
	r.until("batches have left the log", func() bool { return len(r.history(image)) >= 3 })
	for _, key := range r.history(image) {
		if err := r.blobs.Store.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	_, err := r.countAt(image, 3)
	wantCode(t, err, easel.CodeInternal)
	if got, err := r.countAt(image, 45); easel.CodeOf(err) != easel.CodeInternal {
		t.Errorf("got %d, %v", got, err)
	}
}

// TestARevertGoesOnWhereItWasCutOff ends it after each of its steps.
func TestARevertGoesOnWhereItWasCutOff(t *testing.T) {
	for step := 1; step < 40; step++ {
		cut := false
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			r := newRig(t, nil)
			image := r.upload(anna, "a.png").ID
			r.write(image, fresh(easel.MaxOps)...) // more than one message can hold
			zero := int64(0)
			revert := gallery.Revert{Version: &zero, Once: actors.Once{ID: "key", Hash: "body"}}
			r.fuse.arm(step, step%2 == 0)
			first, err := r.Revert(t.Context(), rita, image, revert)
			cut = r.fuse.hasBlown()
			if cut == (err == nil) {
				t.Fatalf("got %v", err)
			}
			if cut && !errors.Is(err, errCrash) {
				t.Fatalf("got %v", err)
			}
			r.restart(0)
			if cut {
				r.write(image, fresh(1)...) // of which the plan knows nothing
			}
			again, err := r.Revert(t.Context(), rita, image, revert)
			want := easel.MaxOps
			if step == 1 {
				want++ // it had not begun, so the repeat is the first
			}
			if err != nil || len(again.IDs) != want {
				t.Fatalf("reverted %d, want %d: %v", len(again.IDs), want, err)
			}
			if !cut && again.Ver != first.Ver {
				t.Errorf("first version %d, then %d", first.Ver, again.Ver)
			}
			left := must[canvas.ImageReply](r, canvas.Key(homeTenant, image), canvas.Look{}).Image.AnnotationCount
			if want := map[bool]int64{false: 0, true: 1}[cut && step > 1]; left != want && step > 1 {
				t.Errorf("%d are left, want %d", left, want)
			}
		})
		if !cut {
			return
		}
	}
	t.Fatal("it never got through")
}
