package sse_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/live/livetest"
	"github.com/easelhq/easel/transport/sse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type stage struct {
	*livetest.Stage
	url    string
	client *http.Client
}

func start(t *testing.T, opts live.Options, who easel.Principal) *stage {
	t.Helper()
	s := &stage{Stage: livetest.Start(t, opts)}
	h := &sse.Handler{
		Rooms: s.Rooms, Keep: 50 * time.Millisecond,
		Error: func(w http.ResponseWriter, _ *http.Request, err error) { http.Error(w, err.Error(), http.StatusTeapot) },
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/{id}", func(w http.ResponseWriter, r *http.Request) {
		h.Serve(w, r, actors.Key{Kind: "image", ID: string(livetest.Tenant) + "/" + r.PathValue("id")}, who)
	})
	hs := httptest.NewServer(mux)
	s.url, s.client = hs.URL+"/", hs.Client()
	t.Cleanup(hs.Close)
	return s
}

// event is one event of a stream.
type event struct {
	id, data string
	t        string
	ver      int64
	last     bool
	recv     int // annotations or ops
}

type events struct {
	t *testing.T
	r *bufio.Scanner
	// comments counts keep-alives.
	comments int
}

func (s *stage) open(t *testing.T, key actors.Key, lastID string) *events {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+key.ID[strings.IndexByte(key.ID, '/')+1:], nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || !strings.HasPrefix(got, "text/event-stream") {
		t.Fatalf("status %d, type %q", resp.StatusCode, got)
	}
	r := bufio.NewScanner(resp.Body)
	r.Buffer(nil, 1<<20)
	return &events{t: t, r: r}
}

// next returns the next event; ok is false at the end of the stream.
func (e *events) next() (ev event, ok bool) {
	e.t.Helper()
	for e.r.Scan() {
		line := e.r.Text()
		switch {
		case strings.HasPrefix(line, ":"):
			e.comments++
		case strings.HasPrefix(line, "id: "):
			ev.id = line[4:]
		case strings.HasPrefix(line, "data: "):
			ev.data = line[6:]
		case line == "" && ev.data != "":
			var f struct {
				T           string `json:"t"`
				Ver         int64  `json:"ver"`
				Last        bool   `json:"last"`
				Annotations []any  `json:"annotations"`
				Ops         []any  `json:"ops"`
			}
			if err := json.Unmarshal([]byte(ev.data), &f); err != nil {
				e.t.Fatalf("data %q: %v", ev.data, err)
			}
			ev.t, ev.ver, ev.last, ev.recv = f.T, f.Ver, f.Last, len(f.Annotations)+len(f.Ops)
			return ev, true
		}
	}
	return event{}, false
}

func (e *events) want(kind string) event {
	e.t.Helper()
	ev, ok := e.next()
	if !ok || ev.t != kind {
		e.t.Fatalf("event = %+v, %t; want %s", ev, ok, kind)
	}
	return ev
}

func TestStreamStartsWithSnapshotAndResumes(t *testing.T) {
	s := start(t, live.Options{}, livetest.Who("eve", easel.Viewer))
	key := s.Image()
	s.Put(key, 3)
	first := s.open(t, key, "")
	snap := first.want("snap")
	if !snap.last || snap.ver != 1 || snap.recv != 3 || !strings.HasSuffix(snap.id, ":1") {
		t.Fatalf("snap = %+v", snap)
	}
	s.Put(key, 1)
	ops := first.want("ops")
	if ops.ver != 2 || ops.id != strings.TrimSuffix(snap.id, "1")+"2" {
		t.Fatalf("ops = %+v", ops)
	}
	s.Put(key, 1)
	s.Put(key, 2)
	resumed := s.open(t, key, ops.id)
	for ver := int64(3); ver <= 4; ver++ {
		if got := resumed.want("ops"); got.ver != ver {
			t.Fatalf("resumed with %+v, want %d", got, ver)
		}
	}
	for _, id := range []string{"nonsense", "x:1", strings.TrimSuffix(snap.id, "1") + "99", "a:-1"} {
		if got := s.open(t, key, id).want("snap"); got.ver != 4 || got.recv != 7 {
			t.Errorf("from %q: %+v", id, got)
		}
	}
}

func TestChunksBeforeTheLastHaveNoID(t *testing.T) {
	s := start(t, live.Options{Queues: live.Queues{Chunk: 4 << 10}}, livetest.Who("eve", easel.Viewer))
	key := s.Image()
	s.Put(key, 100)
	e := s.open(t, key, "")
	total := 0
	for {
		got := e.want("snap")
		total += got.recv
		if (got.id != "") != got.last {
			t.Fatalf("chunk = %+v", got)
		}
		if got.last {
			break
		}
	}
	if total != 100 {
		t.Errorf("%d annotations", total)
	}
}

func TestQuietStreamIsKeptAlive(t *testing.T) {
	s := start(t, live.Options{}, livetest.Who("eve", easel.Viewer))
	key := s.Image()
	e := s.open(t, key, "")
	e.want("snap")
	time.AfterFunc(300*time.Millisecond, func() {
		s.Ask(key, canvas.Say{By: canvas.Author{User: "ann", Role: easel.Annotator}, Text: "hi"})
	})
	if got := e.want("chat"); !strings.HasSuffix(got.id, ":0") {
		t.Errorf("chat = %+v", got)
	}
	if e.comments < 2 {
		t.Errorf("%d comments", e.comments)
	}
}

func TestStreamEndsWithTheToken(t *testing.T) {
	who := livetest.Who("eve", easel.Viewer)
	who.Expires = time.Now().Add(1500 * time.Millisecond)
	s := start(t, live.Options{}, who)
	e := s.open(t, s.Image(), "")
	e.want("snap")
	if ev, ok := e.next(); ok {
		t.Errorf("event = %+v", ev)
	}
}

func TestListenersAreNotPeers(t *testing.T) {
	s := start(t, live.Options{}, livetest.Who("eve", easel.Viewer))
	key := s.Image()
	e := s.open(t, key, "")
	e.want("snap")
	other := s.open(t, key, "")
	other.want("snap")
	s.Put(key, 1)
	for i, stream := range []*events{e, other} {
		if got := stream.want("ops"); got.ver != 1 {
			t.Errorf("stream %d: %+v", i, got)
		}
	}
}

func TestNoImageNoStream(t *testing.T) {
	s := start(t, live.Options{}, livetest.Who("eve", easel.Viewer))
	resp, err := s.client.Get(s.url + string(easel.NewID()))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusTeapot {
		t.Error(fmt.Sprint("status ", resp.StatusCode))
	}
}
