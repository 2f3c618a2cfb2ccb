package canvas_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/tenant"
)

// house starts a runtime with images and tenants on a folder.
func house(t *testing.T, home string, o canvas.Options) (system *actors.System, stop func()) {
	t.Helper()
	images, err := canvas.Kind(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	tenants, err := tenant.Kind(tenant.Options{})
	if err != nil {
		t.Fatal(err)
	}
	node, err := journal.OpenNode(journal.NodeOptions{Dir: home})
	if err != nil {
		t.Fatal(err)
	}
	system, err = actors.New(actors.Config{
		Node: "n1", Dir: t.TempDir(), Journal: node, Kinds: []*actors.Kind{&images, &tenants},
		Messages: append(canvas.Prototypes(), tenant.Prototypes()...),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := system.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return system, func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := system.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
		if err := node.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

func ask[R actors.Message](t *testing.T, s *actors.System, to actors.Key, m actors.Message, once string) R {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := actors.Ask[R](ctx, s, actors.Request{To: to, Message: m, Once: actors.Once{ID: once}})
	if err != nil {
		t.Fatalf("%s: %v", m.MessageName(), err)
	}
	return r
}

// eventually asks until the answer is as it should be.
func eventually[R actors.Message](t *testing.T, s *actors.System, to actors.Key, m actors.Message, ok func(R) bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for range time.Tick(10 * time.Millisecond) {
		r := ask[R](t, s, to, m, "")
		if ok(r) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s still answers %+v", m.MessageName(), r)
		}
	}
}

func TestAnImageLivesInTheRuntime(t *testing.T) {
	home, key := t.TempDir(), canvas.Key(owner, image)
	var tries atomic.Int64
	o := canvas.Options{Probe: func(context.Context, easel.TenantID, easel.ID) (int, int, error) {
		tries.Add(1)
		return 640, 480, nil
	}}
	s, stop := house(t, home, o)
	if _, err := s.Ask(t.Context(), actors.Request{To: key, Message: canvas.Look{}}); easel.CodeOf(err) != easel.CodeNotFound {
		t.Errorf("got %v", err)
	}
	ask[tenant.Empty](t, s, tenant.Key(owner), tenant.Reserve{ID: image, By: tenant.Author{User: "ann", Role: easel.Owner}, Filename: "cat.png", Size: 12}, "")
	ready := ask[canvas.ImageReply](t, s, key, birth, "")
	ask[tenant.Empty](t, s, tenant.Key(owner), tenant.Ready{Image: ready.Image}, "")

	first := ask[canvas.Applied](t, s, key, write(ann, put("", "cat")), "k1")
	if diff := cmp.Diff(first, ask[canvas.Applied](t, s, key, write(ann, put("", "cat")), "k1")); diff != "" {
		t.Errorf("a retry differs: %s", diff)
	}
	rejected := ask[canvas.Applied](t, s, key, frame(ann, 1, del(id(1))), "")
	if rejected.Rejected == nil {
		t.Errorf("got %+v", rejected)
	}
	eventually(t, s, key, canvas.Look{}, func(r canvas.ImageReply) bool { return r.Image.Width == 640 })
	eventually(t, s, tenant.Key(owner), tenant.Images{Label: ptr("cat")}, func(r tenant.ImagesReply) bool {
		return len(r.Images) == 1 && r.Images[0].AnnotationCount == 1 && r.Images[0].Width == 640
	})
	before := ask[canvas.Listing](t, s, key, canvas.List{}, "")
	stop()

	s, stop = house(t, home, o)
	defer stop()
	if diff := cmp.Diff(before, ask[canvas.Listing](t, s, key, canvas.List{}, "")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(rejected, ask[canvas.Applied](t, s, key, frame(ann, 1, del(id(1))), "")); diff != "" {
		t.Error(diff)
	}
	if n := tries.Load(); n != 1 {
		t.Errorf("the file was read %d times", n)
	}
}

func TestABulkThatNobodyDecidesIsGivenUp(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the first question to the coordinator")
	}
	t.Parallel()
	s, stop := house(t, t.TempDir(), canvas.Options{})
	defer stop()
	key := canvas.Key(owner, image)
	ask[tenant.Empty](t, s, tenant.Key(owner), tenant.Seen{User: "ann", Role: easel.Owner}, "")
	ask[canvas.ImageReply](t, s, key, birth, "")
	ask[canvas.Empty](t, s, key, prepare(id(1)), "")
	deadline := time.Now().Add(20 * time.Second)
	for range time.Tick(20 * time.Millisecond) {
		_, err := s.Ask(t.Context(), actors.Request{To: key, Message: prepare(id(1))})
		if easel.CodeOf(err) == easel.CodeConflict {
			break // the coordinator knew nothing of it, so it said abort
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("got %v", err)
		}
	}
}

// BenchmarkImage is a create as REST does it, with the runtime and a journal
// that syncs.
func BenchmarkImage(b *testing.B) {
	images, err := canvas.Kind(canvas.Options{MaxAnnotations: 1 << 30}, nil)
	if err != nil {
		b.Fatal(err)
	}
	node, err := journal.OpenNode(journal.NodeOptions{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	s, err := actors.New(actors.Config{
		Node: "n1", Dir: b.TempDir(), Journal: node, Kinds: []*actors.Kind{&images}, Messages: canvas.Prototypes(),
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = s.Stop(context.WithoutCancel(b.Context()))
		_ = node.Close()
	}()
	key := canvas.Key(owner, image)
	if _, err := s.Ask(b.Context(), actors.Request{To: key, Message: birth}); err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			once := actors.Once{ID: fmt.Sprint(n.Add(1))}
			if _, err := s.Ask(b.Context(), actors.Request{To: key, Message: write(ann, put("", "cat")), Once: once}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
