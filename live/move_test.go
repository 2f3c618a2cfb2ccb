package live_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/live"
)

func TestRoomAttachesAtOnceWhereTheImageHasMoved(t *testing.T) {
	w := newWorld(1, live.Options{})
	g := w.join(t, 0, "a", ann)
	for _, moved := range []live.Moved{{}, {Owner: "z"}} {
		w.run(time.Second)
		w.restart()
		_, _ = w.rooms[0].Handle(moved)
		w.run(50 * time.Millisecond)
		if !w.feed.Attached() {
			t.Fatalf("%+v: not attached", moved)
		}
		w.publish(t)
		w.flow()
		if got := g.types(); got != "ops" {
			t.Fatalf("%+v: frames = %q", moved, got)
		}
	}
}

func TestWordOfAMoveThatIsOldChangesNothing(t *testing.T) {
	w := newWorld(1, live.Options{})
	w.feed = live.NewTestFeed("a")
	w.join(t, 0, "a", ann)
	w.run(time.Second)
	for _, moved := range []live.Moved{{Owner: "a"}, {Feed: 42}} {
		_, _ = w.rooms[0].Handle(moved)
		if len(w.net) != 0 {
			t.Errorf("%+v: the room sent %s", moved, w.net[0].what)
		}
	}
}

// TestNodesThatFenceEachOtherAreSlowed tells a room of a move all the time.
func TestNodesThatFenceEachOtherAreSlowed(t *testing.T) {
	w := newWorld(1, live.Options{})
	w.join(t, 0, "a", ann)
	w.run(time.Second)
	asks := 0
	for range 100 {
		_, _ = w.rooms[0].Handle(live.Moved{})
		for _, p := range w.net {
			if strings.HasPrefix(p.what, "ask live.attach") {
				asks++
			}
		}
		w.run(10 * time.Millisecond)
	}
	if asks > 5 {
		t.Errorf("%d attachments in a second", asks)
	}
}

// TestRoomThatIsGoneIsForgotten: what a feed sends to a room that was there before
// makes no room that stays.
func TestRoomThatIsGoneIsForgotten(t *testing.T) {
	w := newWorld(1, live.Options{})
	feed := live.NewTestFeed("a")
	if _, _, ok := feed.Receive(w.now, live.Attach{Room: w.hosts[0].ref, Life: 1}); !ok {
		t.Fatal("not a message for feeds")
	}
	w.feed = feed
	w.tells(feed.Published(w.now, accepted(1, &easel.Annotation{ID: "x"})))
	w.flow()
	if !w.rooms[0].Done() {
		t.Error("the room stays although nobody is in it")
	}
	if feed.Attached() {
		t.Error("the feed still has the room")
	}
}

func TestLateFarewellDoesNotDetachTheNextRoom(t *testing.T) {
	feed, now := live.NewTestFeed("a"), time.Unix(1, 0)
	room := actors.Ref{Node: "b", Key: live.Key(canvas.Key("t", "i"))}
	for _, m := range []actors.Message{
		live.Attach{Room: room, Life: 1}, live.Attach{Room: room, Life: 2}, live.Detach{Room: room, Life: 1},
	} {
		feed.Receive(now, m)
	}
	if !feed.Attached() {
		t.Error("the next room was detached")
	}
	feed.Receive(now, live.Detach{Room: room, Life: 2})
	if feed.Attached() {
		t.Error("a room that has gone is attached")
	}
}

func TestViewerThatComesBackElsewhereIsReplaced(t *testing.T) {
	w := newWorld(2, live.Options{})
	viewer := easel.Principal{User: "vi", Role: easel.Viewer}
	old := w.join(t, 0, "v", viewer)
	other := w.join(t, 1, "o", viewer)
	again := w.guest(t, 1, "v2", viewer)
	again.say(`{"t":"hello","client":"v"}`)
	w.run(time.Second)
	if c := old.Closed(); c == nil || *c != live.CloseReplaced {
		t.Errorf("the older connection: %v", c)
	}
	if c := other.Closed(); c != nil {
		t.Errorf("another client's connection: %v", c)
	}
	if c := again.Closed(); c != nil {
		t.Errorf("the newer connection: %v", c)
	}
}

// publish makes the owner accept a batch of somebody else.
func (w *world) publish(t *testing.T) {
	t.Helper()
	id := easel.NewID()
	_, err := w.atOwner(canvas.Apply{
		By: canvas.Author{User: "rest", Role: easel.Annotator}, Client: string(id), Seq: 1,
		Ops: []easel.Op{{Kind: easel.OpPut, ID: id}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHelloOfAConnectionThatLeftIsWithdrawn: it would make the image close the
// connection that its client has by then.
func TestHelloOfAConnectionThatLeftIsWithdrawn(t *testing.T) {
	w := newWorld(2, live.Options{})
	old := w.guest(t, 0, "old", ann)
	old.say(`{"t":"hello","client":"c"}`)
	late := w.hold("ask canvas.hello")
	old.room.Leave(old.Conn())
	again := w.guest(t, 1, "new", ann)
	again.say(`{"t":"hello","client":"c"}`)
	w.run(time.Second)
	w.net = append(w.net, late)
	w.run(time.Second)
	if c := again.Closed(); c != nil {
		t.Errorf("the newer connection: %v", c)
	}
	again.say(putOp(1, "1"))
	w.run(time.Second)
	if got, want := again.types(), "welcome ack snap ops"; got != want {
		t.Errorf("the newer connection is sent %q, want %q", got, want)
	}
}

// TestHelloEndsAnEarlierOneThatStillWaits: the earlier connection is there, but
// nobody is at its other end any more.
func TestHelloEndsAnEarlierOneThatStillWaits(t *testing.T) {
	w := newWorld(1, live.Options{})
	old, other := w.guest(t, 0, "old", ann), w.guest(t, 0, "other", ann)
	old.say(`{"t":"hello","client":"c"}`)
	w.hold("ask canvas.hello").fail()
	other.say(`{"t":"hello","client":"o"}`)
	again := w.guest(t, 0, "new", ann)
	again.say(`{"t":"hello","client":"c"}`)
	if c := old.Closed(); c == nil || *c != live.CloseReplaced {
		t.Errorf("the older connection: %v", c)
	}
	w.run(time.Second)
	for _, g := range []*guest{again, other} {
		if got := g.types(); g.Closed() != nil || !strings.HasPrefix(got, "welcome snap") {
			t.Errorf("%s is sent %q and closed with %v", g.Conn(), got, g.Closed())
		}
	}
}

// hold takes what travels, the first of its name, off the net.
func (w *world) hold(what string) travelling {
	i := slices.IndexFunc(w.net, func(t travelling) bool { return t.what == what })
	held := w.net[i]
	w.net = slices.Delete(w.net, i, i+1)
	return held
}
