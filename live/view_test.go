package live_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/live/livetest"
)

// asked counts the requests that are on their way.
func (w *world) asked(name string) (n int) {
	for _, p := range w.net {
		if p.what == "ask "+name {
			n++
		}
	}
	return n
}

// warm is a world with a room whose copy is known to be current.
func warm(t *testing.T) (*world, *live.Room) {
	t.Helper()
	w := newWorld(1, live.Options{})
	w.join(t, 0, "a", ann)
	w.publish(t)
	w.flow()
	room := w.rooms[0]
	if v := room.Glance(live.Position{}, ""); v.Good() {
		t.Fatal("a copy answers that nobody vouches for")
	}
	w.flow()
	if v := room.Glance(live.Position{}, ""); !v.Good() || v.Age != 0 || v.Ver != w.owner.ver {
		t.Fatalf("%+v, want version %d at once", v, w.owner.ver)
	}
	return w, room
}

func TestCopyAnswersWithoutAskingTheImage(t *testing.T) {
	w, room := warm(t)
	for range 100 {
		v := room.Glance(live.Position{}, "")
		if list, err := v.List(canvas.List{}); err != nil || string(list.Body) != w.owner.list(1) {
			t.Fatalf("%s, %v", list.Body, err)
		}
	}
	if len(w.net) != 0 {
		t.Errorf("the room sent %s", w.net[0].what)
	}
	w.now = w.now.Add(1100 * time.Millisecond)
	for range 100 {
		if v := room.Glance(live.Position{}, ""); !v.Good() || v.Age != 1100*time.Millisecond {
			t.Fatalf("%+v", v)
		}
	}
	if n := w.asked("canvas.look"); n != 1 {
		t.Errorf("100 reads of a copy that is a second old asked the image %d times", n)
	}
	w.flow()
	if v := room.Glance(live.Position{}, ""); v.Age != 0 {
		t.Errorf("age %s after the image was asked", v.Age)
	}
}

// TestCopyThatIsCutOffGrowsOld loses all that the room sends and is sent.
func TestCopyThatIsCutOffGrowsOld(t *testing.T) {
	w, room := warm(t)
	const most = 5 * time.Second // by the contract
	start := w.now
	for {
		age := w.now.Sub(start)
		v := room.Glance(live.Position{}, "")
		if age <= most && (!v.Good() || v.Age != age) {
			t.Fatalf("after %s: %+v", age, v)
		}
		if age > most {
			if !v.Stale() {
				t.Fatalf("after %s it still answers: %+v", age, v)
			}
			break
		}
		w.net = nil
		for due := w.now.Add(100 * time.Millisecond); w.now.Before(due); {
			w.now = w.now.Add(10 * time.Millisecond)
		}
	}
	w.publish(t) // lost, too
	w.net = nil
	w.run(2 * time.Second) // what was asked is given up
	room.Glance(live.Position{}, "")
	w.run(time.Second) // what is missing is noticed by the answer, and asked for
	if v := room.Glance(live.Position{}, ""); !v.Good() || v.Ver != w.owner.ver {
		t.Errorf("healed: %+v, the image is at %d", v, w.owner.ver)
	}
}

func TestCopyThatLagsVouchesForNothing(t *testing.T) {
	w, room := warm(t)
	start := w.now
	w.publish(t)
	w.net = nil // the batch is lost
	w.now = w.now.Add(2 * time.Second)
	room.Glance(live.Position{}, "")
	for len(w.net) > 0 { // the answer says that there is more
		w.arrive(0, false)
	}
	if v := room.Glance(live.Position{}, ""); v.Age != w.now.Sub(start) {
		t.Errorf("age %s of a copy that is known to lack a batch, want %s", v.Age, w.now.Sub(start))
	}
}

func TestCopyOfADeletedImageAnswersNothing(t *testing.T) {
	for _, told := range []bool{true, false} {
		t.Run(fmt.Sprintf("told %t", told), func(t *testing.T) {
			w, room := warm(t)
			w.owner.deleted = true
			if told {
				_, _ = room.Handle(canvas.ImageChanged{Image: easel.Image{ID: "i", DeletedAt: 1}})
			} else {
				w.now = w.now.Add(2 * time.Second)
				room.Glance(live.Position{}, "")
				w.flow()
			}
			if v := room.Glance(live.Position{}, ""); v.Good() {
				t.Fatalf("%+v", v)
			}
			w.owner.deleted = false
			w.run(time.Second)
			room.Glance(live.Position{}, "")
			w.flow()
			if v := room.Glance(live.Position{}, ""); !v.Good() {
				t.Errorf("restored: %+v", v)
			}
		})
	}
}

// TestWordFromBeforeADeletionIsNoProof has an answer overtaken by the deletion.
func TestWordFromBeforeADeletionIsNoProof(t *testing.T) {
	w, room := warm(t)
	w.now = w.now.Add(2 * time.Second)
	room.Glance(live.Position{}, "")
	w.arrive(0, false) // the image answers
	_, _ = room.Handle(canvas.ImageChanged{Image: easel.Image{ID: "i", DeletedAt: 1}})
	w.flow()
	if v := room.Glance(live.Position{}, ""); v.Good() {
		t.Errorf("%+v", v)
	}
}

func TestCopyAnswersOnlyWhatItHasReached(t *testing.T) {
	w, room := warm(t)
	at := func(epoch string, ver int64) live.View { return room.Glance(live.Position{Epoch: epoch, Ver: ver}, "") }
	if v := at("e1", 1); !v.Good() {
		t.Errorf("reached: %+v", v)
	}
	if v := at("e2", 0); v.Good() || v.Behind() {
		t.Errorf("another epoch: %+v", v)
	}
	if v := at("e1", 2); !v.Behind() {
		t.Errorf("not reached: %+v", v)
	}
	w.net = nil
	w.run(2 * time.Second)
	w.publish(t)
	w.net = nil // the batch is lost, and asked for because somebody waits for it
	at("e1", 2)
	w.run(200 * time.Millisecond)
	if v := at("e1", 2); !v.Good() {
		t.Errorf("reached later: %+v", v)
	}
}

func TestCopyLeavesWhatItLacksToTheImage(t *testing.T) {
	w, room := warm(t)
	for id := range w.owner.boxes {
		if v := room.Glance(live.Position{}, id); !v.Good() || v.One().ID != id {
			t.Errorf("%s: %+v", id, v)
		}
	}
	if v := room.Glance(live.Position{}, "ffffffffffffffffffffffffffffffff"); v.Good() {
		t.Errorf("an annotation that is not there: %+v", v)
	}
}

func TestCopyFromAnOlderNodeHasNoOrder(t *testing.T) {
	w := newWorld(1, live.Options{})
	w.owner.older = true
	w.publish(t)
	w.join(t, 0, "a", ann)
	room := w.rooms[0]
	room.Glance(live.Position{}, "")
	w.flow()
	if v := room.Glance(live.Position{}, ""); v.Good() {
		t.Errorf("a list without order: %+v", v)
	}
	for id := range w.owner.boxes {
		if v := room.Glance(live.Position{}, id); !v.Good() {
			t.Errorf("one annotation: %+v", v)
		}
	}
}

// TestCopyListsAsItsImageDoes compares bytes after all that can happen to an image.
func TestCopyListsAsItsImageDoes(t *testing.T) {
	s := livetest.Start(t, live.Options{})
	key := s.Image()
	who := livetest.Who("ann", easel.Reviewer)
	by := canvas.Author{User: "ann", Role: easel.Reviewer}
	rng := rand.New(rand.NewPCG(3, 4))
	s.Put(key, 40)
	seat, err := s.Rooms.Listen(t.Context(), key, who, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer seat.Leave(t.Context())
	var ids []easel.ID
	for range 60 {
		var ops []easel.Op
		for range 1 + rng.IntN(6) {
			d := &easel.Draft{Label: fmt.Sprint("l", rng.IntN(5)), Width: 0.5, Height: 0.5}
			if n := rng.Float64(); n < 0.5 {
				d.Confidence = &n
			}
			switch id := easel.NewID(); {
			case len(ids) > 0 && rng.IntN(3) == 0:
				ops = append(ops, easel.Op{Kind: easel.OpPatch, ID: ids[rng.IntN(len(ids))], Set: &easel.Patch{Label: &d.Label}})
			case len(ids) > 8 && rng.IntN(4) == 0:
				i := rng.IntN(len(ids))
				ops = append(ops, easel.Op{Kind: easel.OpDelete, ID: ids[i]})
				ids = append(ids[:i], ids[i+1:]...)
			default:
				ids = append(ids, id)
				put := easel.Op{Kind: easel.OpPut, ID: id, Draft: d}
				ops = append(ops, put)
				if rng.IntN(2) == 0 {
					ops = append(ops, put) // without effect: places are counted differently from here on
				}
			}
		}
		ver := s.Ask(key, canvas.Apply{By: by, Ops: ops}).(canvas.Applied).Ver //nolint:forcetypeassert // the test's own
		epoch := s.Ask(key, canvas.Look{}).(canvas.ImageReply).Epoch           //nolint:forcetypeassert // the test's own
		half := 0.25
		label := "l1"
		for _, m := range []canvas.List{{}, {Label: &label}, {MinConfidence: &half}} {
			want := s.Ask(key, m).(canvas.Listing) //nolint:forcetypeassert // the test's own
			v := look(t, s, key, live.Position{Epoch: epoch, Ver: ver})
			if got, err := v.List(m); err != nil || string(got.Body) != string(want.Body) || got.Ver != want.Ver {
				t.Fatalf("version %d: %v\ncopy  %s\nimage %s", ver, err, got.Body, want.Body)
			}
		}
	}
	if v := s.Rooms.Look(t.Context(), canvas.Key(livetest.Tenant, easel.NewID()), live.Position{}, ""); v.Good() {
		t.Error("an image that nobody watches has a copy")
	}
}

// look waits until the room has a good copy of a version.
func look(t *testing.T, s *livetest.Stage, key actors.Key, since live.Position) live.View {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); ; {
		v := s.Rooms.Look(t.Context(), key, since, "")
		if v.Good() {
			return v
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("no copy of version %d: %+v", since.Ver, v)
		}
	}
}
