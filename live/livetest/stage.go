// Package livetest runs real images and rooms for the tests of what serves them.
package livetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/live"
)

// Tenant is the tenant of all images of a Stage.
const Tenant easel.TenantID = "00000000000000000000000000000001"

// Stage is a node with images and rooms, without HTTP.
type Stage struct {
	System *actors.System
	Rooms  *live.Rooms
	t      testing.TB
}

// Start starts a stage in a new folder and stops it when the test ends.
func Start(t testing.TB, opts live.Options) *Stage {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	node, err := journal.OpenNode(journal.NodeOptions{Dir: filepath.Join(dir, "store"), Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	kind, err := canvas.Kind(canvas.Options{}, live.NewFeed)
	if err != nil {
		t.Fatal(err)
	}
	rooms := live.NewRooms(opts, log, nil)
	system, err := actors.New(actors.Config{
		Node: "n1", Dir: filepath.Join(dir, "work"), Journal: node, Log: log,
		Kinds: []*actors.Kind{&kind}, Ephemerals: []*actors.EphemeralKind{rooms.Kind()},
		Messages: append(canvas.Prototypes(), live.Prototypes()...),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := system.Start(ctx); err != nil {
		t.Fatal(err)
	}
	rooms.Use(system)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := errors.Join(system.Stop(ctx), node.Close()); err != nil {
			t.Error(err)
		}
	})
	return &Stage{System: system, Rooms: rooms, t: t}
}

// Image makes an image of user "ann" and returns its key.
func (s *Stage) Image() actors.Key {
	s.t.Helper()
	id := easel.NewID()
	key := canvas.Key(Tenant, id)
	s.Ask(key, canvas.Birth{Image: easel.Image{
		ID: id, Filename: "a.png", ContentType: "image/png", Size: 1, UploadedBy: "ann", CreatedAt: easel.At(time.Now()),
	}})
	return key
}

// Put draws n boxes in one batch, as a REST write does, and returns its version.
func (s *Stage) Put(key actors.Key, n int) int64 {
	s.t.Helper()
	ops := make([]easel.Op, n)
	for i := range ops {
		ops[i] = easel.Op{Kind: easel.OpPut, Draft: &easel.Draft{Label: fmt.Sprint("box ", i), Width: 0.5, Height: 0.5}}
	}
	m := s.Ask(key, canvas.Apply{By: canvas.Author{User: "ann", Role: easel.Annotator}, Ops: ops})
	return m.(canvas.Applied).Ver //nolint:forcetypeassert // the test's own
}

// Ask sends a message that must succeed.
func (s *Stage) Ask(key actors.Key, m actors.Message) actors.Message {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := s.System.Ask(ctx, actors.Request{To: key, Message: m})
	if err != nil {
		s.t.Fatalf("%s: %v", m.MessageName(), err)
	}
	return answer
}

// Who returns a principal of the stage's tenant whose token lasts for an hour.
func Who(user string, role easel.Role) easel.Principal {
	return easel.Principal{Tenant: Tenant, User: user, Name: user, Role: role, Expires: time.Now().Add(time.Hour)}
}
