package live_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/live"
)

var ann = easel.Principal{User: "ann", Name: "Ann", Role: easel.Annotator}

// guest is a session in a room of a world.
type guest struct {
	t    *testing.T
	w    *world
	room *live.Room
	*live.Session
}

func (w *world) guest(t *testing.T, room int, conn string, who easel.Principal) *guest {
	t.Helper()
	s, err := w.rooms[room].Enter(conn, who, live.Queues{})
	if err != nil {
		t.Fatal(err)
	}
	return &guest{t, w, w.rooms[room], s}
}

// join is a guest that has said hello and read its welcome and snapshot.
func (w *world) join(t *testing.T, room int, conn string, who easel.Principal) *guest {
	t.Helper()
	g := w.guest(t, room, conn, who)
	g.say(`{"t":"hello","client":"` + conn + `"}`)
	w.run(2 * time.Second)
	got := g.take()
	if len(got) < 2 || got[0].T != "welcome" || got[1].T != "snap" {
		t.Fatalf("frames of a new guest: %+v", got)
	}
	return g
}

func (g *guest) say(text string) {
	g.t.Helper()
	in, ok := live.Parse([]byte(text))
	if !ok {
		g.t.Fatalf("frame %s", text)
	}
	if err := g.room.Say(g.Conn(), in); err != nil {
		g.t.Fatal(err)
	}
}

// take returns every frame that is queued.
func (g *guest) take() []serverFrame {
	g.t.Helper()
	var out []serverFrame
	for {
		items, more, end := g.Take(nil, 1<<20)
		for _, it := range items {
			var f serverFrame
			if err := json.Unmarshal(it.Frame.JSON(), &f); err != nil {
				g.t.Fatal(err)
			}
			out = append(out, f)
		}
		if !more || end != nil {
			return out
		}
	}
}

// types returns the types of every queued frame.
func (g *guest) types() string {
	var out []string
	for _, f := range g.take() {
		out = append(out, f.T)
	}
	return strings.Join(out, " ")
}

func putOp(seq int, id string) string {
	return fmt.Sprintf(`{"t":"op","seq":%d,"ops":[{"k":"put","id":"%032s","annotation":{"label":"a","x":0,"y":0,"width":0.5,"height":0.5}}]}`, seq, id)
}

func TestUnansweredFramesAreBounded(t *testing.T) {
	w := newWorld(1, live.Options{})
	g := w.join(t, 0, "a", ann)
	for seq := range 40 {
		g.say(putOp(seq+1, fmt.Sprint(seq)))
	}
	rejected := 0
	for _, f := range g.take() {
		if f.T == "rej" && f.Code == "rate_limited" && f.Temporary && f.RetryAfter > 0 {
			rejected++
		}
	}
	if rejected != 8 {
		t.Errorf("%d of 40 rejected, want 8", rejected)
	}
	w.flow()
	acks := 0
	for _, f := range g.take() {
		if f.T == "ack" {
			if acks++; f.Seq != int64(acks) {
				t.Errorf("ack %d came as number %d", f.Seq, acks)
			}
		}
	}
	if acks != 32 {
		t.Errorf("%d acks", acks)
	}
}

func TestFramesThatDoNotWaitForTheWelcome(t *testing.T) {
	w := newWorld(1, live.Options{})
	g := w.guest(t, 0, "a", ann)
	g.say(putOp(1, "1"))
	g.say(`{"t":"hello","client":"a"}`)
	g.say(putOp(1, "1"))
	g.say(`{"t":"pres","state":{"cursor":[0,0]}}`)
	g.say(putOp(2, "2"))
	w.run(time.Second)
	got := g.types()
	if !strings.HasPrefix(got, "rej welcome ") || strings.Count(got, "ack") != 2 || strings.Count(got, "ops") != 2 {
		t.Errorf("frames = %s", got)
	}
	b := w.guest(t, 0, "b", ann)
	b.say(`{"t":"hello","client":"b"}`)
	w.run(time.Second)
	if got := b.take(); len(got) == 0 || len(got[0].Peers) != 1 || string(got[0].Peers[0].State) != `{"cursor":[0,0]}` {
		t.Errorf("frames = %+v", got)
	}
}

func TestUnansweredFramesAreSentAgainInOrder(t *testing.T) {
	w := newWorld(1, live.Options{})
	g := w.join(t, 0, "a", ann)
	for seq := 1; seq <= 3; seq++ {
		g.say(putOp(seq, fmt.Sprint(seq)))
	}
	// The owner dies: the first is lost on its way, the answers of the others too.
	w.net = nil
	w.run(10 * time.Second)
	var got []string
	for _, f := range g.take() {
		got = append(got, fmt.Sprint(f.T, f.Seq))
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"ack1", "ack2", "ack3", "ops1", "ops2", "ops3"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestClientHearsWhenTheImageIsAwayForLong(t *testing.T) {
	w := newWorld(1, live.Options{Retry: 12 * time.Second})
	g := w.join(t, 0, "a", ann)
	g.say(putOp(1, "1"))
	for end := w.now.Add(30 * time.Second); w.now.Before(end); {
		w.net = nil // nothing arrives
		if !w.tick() {
			break
		}
	}
	got := g.take()
	if len(got) != 1 || got[0].Code != "unavailable" || !got[0].Temporary {
		t.Fatalf("frames = %+v", got)
	}
	w.run(10 * time.Second)
	g.say(putOp(1, "1"))
	w.flow()
	if got := g.types(); got != "ack ops" && got != "ops ack" {
		t.Errorf("then %q", got)
	}
}

func TestWelcomeWaitsForTheVersionOfTheHello(t *testing.T) {
	w := newWorld(1, live.Options{})
	a := w.join(t, 0, "a", ann)
	a.say(putOp(1, "1"))
	w.arrive(0, false) // the image has applied it; what it published and answered still travels
	held := w.net
	w.net = nil
	b := w.guest(t, 0, "b", easel.Principal{User: "bob", Role: easel.Viewer})
	b.say(`{"t":"hello","client":"b"}`)
	w.flow()
	if got := b.take(); len(got) != 0 {
		t.Fatalf("frames = %+v", got)
	}
	w.net = held
	w.flow()
	got := b.take()
	if len(got) < 2 || got[0].T != "welcome" || got[0].Ver != 1 || got[1].T != "snap" || len(got[1].Annotations) != 1 {
		t.Errorf("frames = %+v", got)
	}
}

// While an image moves nobody can read its log. A client that came with its node is
// not given everything anew for that.
func TestResumeWaitsForAnImageThatCannotBeRead(t *testing.T) {
	w := newWorld(2, live.Options{})
	a := w.join(t, 0, "a", ann)
	for seq := 1; seq <= 3; seq++ {
		a.say(putOp(seq, fmt.Sprint(seq)))
		w.flow()
	}
	w.join(t, 1, "c", easel.Principal{User: "cy", Role: easel.Viewer}) // the room has the image as it is now
	b := w.guest(t, 1, "b", easel.Principal{User: "bob", Role: easel.Viewer})
	b.say(`{"t":"hello","client":"b","since":{"epoch":"` + w.owner.epoch + `","ver":1}}`)
	lost := 0
	for end := w.now.Add(4 * time.Second); w.now.Before(end); {
		switch i := slices.IndexFunc(w.net, func(p travelling) bool { return p.what == "ask canvas.log" }); {
		case i >= 0:
			w.net[i].fail()
			w.net = slices.Delete(w.net, i, i+1)
			lost++
		case len(w.net) > 0:
			w.arrive(0, false)
		default:
			w.tick()
		}
	}
	if got := b.take(); lost < 2 || len(got) != 0 {
		t.Fatalf("the image was asked %d times in vain, and the client was told %+v", lost, got)
	}
	w.run(time.Second)
	got := b.take()
	if len(got) < 3 || got[0].T != "welcome" || !got[0].Recovered || got[1].T != "ops" || got[1].Ver != 2 || got[2].Ver != 3 {
		t.Errorf("frames = %+v", got)
	}
}

func TestLostBatchIsFetched(t *testing.T) {
	w := newWorld(1, live.Options{})
	a, b := w.join(t, 0, "a", ann), w.join(t, 0, "b", easel.Principal{User: "bob", Role: easel.Viewer})
	for seq := 1; seq <= 3; seq++ {
		a.say(putOp(seq, fmt.Sprint(seq)))
	}
	for len(w.net) > 0 {
		w.arrive(0, w.net[0].what == "tell canvas.accepted")
	}
	w.run(time.Second)
	var vers []int64
	for _, f := range b.take() {
		if f.T == "ops" {
			vers = append(vers, f.Ver)
		}
	}
	if diff := cmp.Diff([]int64{1, 2, 3}, vers); diff != "" {
		t.Error(diff)
	}
}

func TestPresenceIsCoalesced(t *testing.T) {
	w := newWorld(1, live.Options{})
	a, b := w.join(t, 0, "a", ann), w.join(t, 0, "b", easel.Principal{User: "bob", Role: easel.Viewer})
	a.take()
	shown := 0
	for i := range 25 { // one second at 25 a second
		a.say(fmt.Sprintf(`{"t":"pres","state":{"cursor":[0,%d]}}`, i))
		w.run(40 * time.Millisecond)
		for _, f := range b.take() {
			if f.T == "pres" {
				shown++
			}
		}
	}
	w.run(time.Second)
	last := b.take()
	if shown > 20 || shown < 15 {
		t.Errorf("%d states shown in a second", shown)
	}
	if n := len(last); n > 1 {
		t.Errorf("%d states after the end", n)
	}
	if got := a.types(); got != "" {
		t.Errorf("the sender was shown %q", got)
	}
}

func TestPeopleOfOtherNodes(t *testing.T) {
	w := newWorld(2, live.Options{})
	a := w.join(t, 0, "a", ann)
	b := w.guest(t, 1, "b", easel.Principal{User: "bob", Role: easel.Viewer})
	b.say(`{"t":"hello","client":"b"}`)
	w.run(6 * time.Second)
	got := a.take()
	if !slices.ContainsFunc(got, func(f serverFrame) bool { return f.T == "pres" && f.Conn == "b" && f.User == "bob" }) {
		t.Errorf("a was shown %+v", got)
	}
	a.say(`{"t":"pres","state":{"cursor":[1,1]}}`)
	w.run(time.Second)
	if got := b.take(); !slices.ContainsFunc(got, func(f serverFrame) bool { return f.T == "pres" && f.Conn == "a" }) {
		t.Errorf("b was shown %+v", got)
	}
	c := w.join(t, 1, "c", ann)
	_ = c
	b.room.Leave("b")
	w.run(time.Second)
	if got := a.types(); !strings.Contains(got, "left") {
		t.Errorf("a was shown %q", got)
	}
}

func TestRoomOfADeadNodeIsForgotten(t *testing.T) {
	w := newWorld(2, live.Options{})
	a := w.join(t, 0, "a", ann)
	w.join(t, 1, "b", easel.Principal{User: "bob", Role: easel.Viewer})
	w.run(6 * time.Second)
	a.take()
	// Node b dies: nothing of it rings or arrives any more.
	gone := actors.Ref{Node: "b", Key: live.Key(w.image)}
	for range 10 {
		w.tells(w.feed.Published(w.now, canvas.ImageChanged{}))
		w.now = w.now.Add(2 * time.Second)
		_, tells, _ := w.feed.Receive(w.now, live.Attach{Room: actors.Ref{Node: "a", Key: live.Key(w.image)}})
		w.tells(tells)
		for len(w.net) > 0 {
			w.arrive(0, false)
		}
	}
	for _, r := range w.feed.Published(w.now, canvas.ImageChanged{}) {
		if r.Node == gone.Node {
			t.Errorf("still told: %+v", r)
		}
	}
	if got := a.types(); !strings.Contains(got, "left") {
		t.Errorf("a was shown %q", got)
	}
}

func TestEmptyRoomLingersAndGoes(t *testing.T) {
	w := newWorld(1, live.Options{Linger: 10 * time.Second})
	a := w.join(t, 0, "a", ann)
	a.room.Leave("a")
	w.run(9 * time.Second)
	if a.room.Done() {
		t.Fatal("gone too early")
	}
	b := w.join(t, 0, "b", ann)
	w.run(9 * time.Second)
	if a.room.Done() {
		t.Fatal("gone with a guest in it")
	}
	b.room.Leave("b")
	w.run(11 * time.Second)
	if !a.room.Done() || w.feed.Attached() {
		t.Errorf("done %t, attached %t", a.room.Done(), w.feed.Attached())
	}
}

func TestCutHistorySendsEveryoneBack(t *testing.T) {
	w := newWorld(1, live.Options{})
	a := w.join(t, 0, "a", ann)
	a.say(putOp(1, "1"))
	w.flow()
	a.take()
	w.owner.epoch = "e2"
	a.say(putOp(2, "2"))
	w.run(2 * time.Second)
	got := a.take()
	if n := len(got); n == 0 || got[n-1].T != "bye" || a.Closed() == nil || !a.Closed().Retry() {
		t.Fatalf("frames = %+v, closed %v", got, a.Closed())
	}
	b := w.guest(t, 0, "b", ann)
	b.say(`{"t":"hello","client":"a","since":{"epoch":"e1","ver":1}}`)
	w.run(2 * time.Second)
	if got := b.take(); len(got) < 2 || got[0].Epoch != "e2" || got[0].Recovered || got[1].T != "snap" {
		t.Errorf("frames = %+v", got)
	}
}

func TestMissingImageClosesItsSockets(t *testing.T) {
	for _, code := range []easel.Code{easel.CodeNotFound, easel.CodeGone} {
		h := &deafHost{err: easel.Errorf(code, "no")}
		room := live.NewTestRoom(h, live.Options{})
		s, err := room.Enter("a", ann, live.Queues{})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Closed(); got == nil || *got != live.CloseNoImage {
			t.Errorf("%s: closed %v", code, got)
		}
	}
}

// deafHost answers every request with an error, at once.
type deafHost struct{ err error }

func (h *deafHost) Self() actors.Ref {
	return actors.Ref{Node: "a", Key: actors.Key{Kind: live.KindName}}
}
func (h *deafHost) Now() time.Time                     { return time.Unix(1, 0) }
func (h *deafHost) Tell(actors.Request)                {}
func (h *deafHost) After(time.Duration, func()) func() { return func() {} }
func (h *deafHost) Ask(_ actors.Request, _ time.Duration, then func(actors.Message, error)) func() {
	then(nil, h.err)
	return func() {}
}

func TestLargePresenceCostsMore(t *testing.T) {
	w := newWorld(1, live.Options{})
	a, b := w.join(t, 0, "a", ann), w.join(t, 0, "b", easel.Principal{User: "bob", Role: easel.Viewer})
	a.take()
	large := strings.Repeat("x", 15<<10)
	bytes, refused := 0, 0
	for range 100 { // five seconds
		b.say(`{"t":"pres","state":{"draft":{"x":"` + large + `"}}}`)
		w.run(50 * time.Millisecond)
		for _, f := range a.take() {
			bytes += len(f.State)
		}
		refused += strings.Count(b.types(), "err")
	}
	if bytes > 500<<10 || bytes < 100<<10 {
		t.Errorf("%d bytes were shown to each in five seconds", bytes)
	}
	if refused == 0 {
		t.Error("nobody was told")
	}
}

// TestWelcomeTellsTheLimits, which are those of the protocol unless a node is given
// others.
func TestWelcomeTellsTheLimits(t *testing.T) {
	w := newWorld(1, live.Options{Limits: live.Limits{Sockets: 7}})
	g := w.guest(t, 0, "a", ann)
	g.say(`{"t":"hello","client":"a"}`)
	w.run(time.Second)
	want := live.Limits{
		ClientOps: 500, ClientBurst: 2000, Presence: 30, ImageOps: 5000, Sockets: 7, Annotations: 100_000,
		FrameBytes: 64 << 10, OpsPerFrame: 500, Unanswered: 32, TenantOps: 20_000, TenantSockets: 10_000,
	}
	if diff := cmp.Diff(want, g.take()[0].Limits); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}

func TestImageTakesAThousandConnections(t *testing.T) {
	w := newWorld(1, live.Options{})
	for i := range 1000 {
		w.guest(t, 0, fmt.Sprint("g", i), ann)
	}
	if _, err := w.rooms[0].Enter("one more", ann, live.Queues{}); easel.CodeOf(err) != easel.CodeRateLimited {
		t.Errorf("one more: %v", err)
	}
}
