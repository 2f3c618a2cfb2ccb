package ws_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/live/livetest"
	"github.com/easelhq/easel/transport/ws"
)

func TestOpIsAcknowledgedAndShownToEveryone(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	ann, wa := s.join(t, key, "ann_annotator", "tab")
	bob, wb := s.join(t, key, "bob_viewer", "tab")
	if wa.Ver != 0 || wa.Known || wa.LastSeq != 0 || wa.Role != "annotator" || wa.Image == nil || wa.Epoch == "" {
		t.Errorf("welcome = %+v", wa)
	}
	if len(wb.Peers) != 1 || wb.Peers[0].Conn != wa.Conn || wb.Peers[0].User != "ann" {
		t.Errorf("peers = %+v", wb.Peers)
	}
	ann.say(put("1", idA))
	ack := ann.want("ack")
	if ack.Seq != 1 || ack.Ver != 1 || len(ack.Results) != 1 || ack.Results[0] != (easel.Result{ID: idA, Rev: 1}) {
		t.Errorf("ack = %+v", ack)
	}
	ann.say(`{"t":"ping"}`)
	seen := bob.want("ops")
	if seen.Ver != 1 || seen.Conn != wa.Conn || seen.Seq != 1 || seen.By != "ann" || len(seen.Ops) != 1 {
		t.Errorf("ops = %s", seen.raw)
	}
	if got := ann.want("pong"); got.Ver > 1 {
		t.Errorf("pong = %+v", got)
	}
	if ver := s.Put(key, 2); ver != 2 {
		t.Fatalf("ver = %d", ver)
	}
	if got := bob.want("ops"); got.Ver != 2 || got.Conn != "" || len(got.Ops) != 2 {
		t.Errorf("ops of REST = %s", got.raw)
	}
}

func TestSenderSeesItsOwnOps(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	ann, _ := s.join(t, key, "ann_annotator", "tab")
	ann.say(put("1", idA))
	if got := ann.want("ops"); got.Ver != 1 {
		t.Errorf("ops = %s", got.raw)
	}
}

func TestResume(t *testing.T) {
	s := start(t, live.Options{RingNodes: 2}, ws.Config{})
	key := s.Image()
	watcher, w := s.join(t, key, "eve_viewer", "tab")
	for range 6 {
		s.Put(key, 1)
		watcher.want("ops")
	}
	tests := []struct {
		name, since string
		recovered   bool
		first       int64 // version of the first ops frame; 0: none
	}{
		{"from the ring", `{"epoch":"` + w.Epoch + `","ver":5}`, true, 6},
		{"from the log", `{"epoch":"` + w.Epoch + `","ver":1}`, true, 2},
		{"with nothing missed", `{"epoch":"` + w.Epoch + `","ver":6}`, true, 0},
		{"of the future", `{"epoch":"` + w.Epoch + `","ver":7}`, false, 0},
		{"of another epoch", `{"epoch":"x","ver":5}`, false, 0},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, w := s.hello(t, key, "ann_annotator", `{"t":"hello","client":"c`+string(rune('0'+i))+`","since":`+tt.since+`}`)
			if w.Recovered != tt.recovered || w.Ver != 6 {
				t.Fatalf("welcome = %+v", w)
			}
			if !tt.recovered {
				if got := c.want("snap"); got.I != 0 || !got.Last || len(got.Annotations) != 6 || got.Ver != 6 {
					t.Fatalf("snap = %s", got.raw)
				}
				return
			}
			for ver := tt.first; ver > 0 && ver <= 6; ver++ {
				if got := c.want("ops"); got.Ver != ver {
					t.Fatalf("ops %d, want %d", got.Ver, ver)
				}
			}
			c.say(`{"t":"ping"}`)
			if got, err := c.next(); err != nil || got.T != "pong" || got.Ver != 6 {
				t.Fatalf("then %+v, %v", got, err)
			}
		})
	}
}

func TestVerdictsSurviveReconnect(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	c, _ := s.join(t, key, "ann_annotator", "tab")
	c.say(put("1", idA))
	c.want("ack")
	c.say(`{"t":"op","seq":2,"ops":[{"k":"put"}]}`)
	if got := c.want("rej"); got.Seq != 2 || got.Code != "invalid" || got.Temporary || len(got.Details) == 0 {
		t.Errorf("rej = %s", got.raw)
	}
	c.say(put("9", idB))
	if got := c.want("rej"); got.Code != "bad_seq" || !got.Temporary || got.Expected != 3 {
		t.Errorf("rej = %s", got.raw)
	}
	_ = c.Close()
	again, w := s.join(t, key, "ann_annotator", "tab")
	if !w.Known || w.LastSeq != 2 || w.Ver != 1 {
		t.Errorf("welcome = %+v", w)
	}
	again.say(put("1", idA))
	if got := again.want("ack"); got.Ver != 1 {
		t.Errorf("repeated ack = %s", got.raw)
	}
	again.say(put("1", idB))
	if got := again.want("rej"); got.Code != "conflict" || got.Temporary {
		t.Errorf("rej = %s", got.raw)
	}
}

func TestNewerConnectionReplacesOlder(t *testing.T) {
	for _, role := range []string{"annotator", "viewer"} {
		t.Run(role, func(t *testing.T) {
			s := start(t, live.Options{}, ws.Config{})
			key := s.Image()
			old, _ := s.join(t, key, "ann_"+role, "tab")
			other, _ := s.join(t, key, "bob_"+role, "tab")
			s.join(t, key, "ann_"+role, "tab")
			old.wantClose(4409)
			other.say(`{"t":"ping"}`)
			other.want("pong")
		})
	}
}

func TestBadFramesOfJSONKeepTheSocket(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	c, _ := s.join(t, key, "ann_annotator", "tab")
	tests := []struct{ name, text, answer, code string }{
		{"no type", `{}`, "err", "bad_request"},
		{"unknown type", `{"t":"what"}`, "err", "bad_request"},
		{"type of a wrong type", `{"t":1}`, "err", "bad_request"},
		{"duplicate type", `{"t":"ping","t":"ping"}`, "err", "bad_request"},
		{"unknown key", `{"t":"ping","x":1}`, "err", "bad_request"},
		{"other case", `{"T":"ping"}`, "err", "bad_request"},
		{"second hello", `{"t":"hello","client":"x"}`, "err", "conflict"},
		{"presence without state", `{"t":"pres"}`, "err", "invalid"},
		{"presence of a wrong type", `{"t":"pres","state":5}`, "err", "bad_request"},
		{"cursor of a wrong type", `{"t":"pres","state":{"cursor":"x"}}`, "err", "bad_request"},
		{"cursor of three", `{"t":"pres","state":{"cursor":[1,2,3]}}`, "err", "invalid"},
		{"empty chat", `{"t":"chat","text":""}`, "err", "invalid"},
		{"chat without text", `{"t":"chat"}`, "err", "invalid"},
		{"bad token", `{"t":"auth","token":"nobody"}`, "err", "unauthorized"},
		{"token of another", `{"t":"auth","token":"bob_admin"}`, "err", "forbidden"},
		{"token of another tenant", `{"t":"auth","token":"ann_owner_elsewhere"}`, "err", "forbidden"},
		{"op without seq", `{"t":"op","ops":[]}`, "err", "invalid"},
		{"op with a fraction for seq", `{"t":"op","seq":1.5,"ops":[]}`, "err", "invalid"},
		{"op with a string for seq", `{"t":"op","seq":"1","ops":[]}`, "err", "bad_request"},
		{"op without ops", `{"t":"op","seq":1}`, "rej", "invalid"},
		{"op with duplicate keys", `{"t":"op","seq":2,"ops":[],"ops":[]}`, "rej", "bad_request"},
		{"op with unknown keys", `{"t":"op","seq":3,"ops":[],"x":1}`, "rej", "bad_request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c.say(tt.text)
			got, err := c.next()
			if err != nil || got.T != tt.answer || got.Code != tt.code || got.Temporary {
				t.Errorf("answer = %+v, %v", got, err)
			}
		})
	}
	c.say(put("4", idA))
	c.want("ack")
}

func TestFramesThatCloseTheSocket(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	tests := []struct {
		name string
		kind int
		text string
		code int
	}{
		{"not JSON", websocket.TextMessage, `hello`, 4400},
		{"empty", websocket.TextMessage, ``, 4400},
		{"trailing bytes", websocket.TextMessage, `{"t":"ping"} x`, 4400},
		{"array", websocket.TextMessage, `[]`, 4400},
		{"number", websocket.TextMessage, `1`, 4400},
		{"not UTF-8", websocket.TextMessage, "{\"t\":\"\xff\"}", 4400},
		{"binary", websocket.BinaryMessage, `{"t":"ping"}`, 4400},
		{"too large", websocket.TextMessage, `{"t":"` + strings.Repeat("x", 64<<10) + `"}`, 1009},
	}
	for _, tt := range tests {
		for _, greeted := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				c := s.dial(t, key, "ann_annotator")
				if greeted {
					c.say(`{"t":"hello","client":"tab"}`)
					c.want("snap")
				}
				if err := c.WriteMessage(tt.kind, []byte(tt.text)); err != nil {
					t.Fatal(err)
				}
				c.wantClose(tt.code)
			})
		}
	}
}

func TestBeforeTheUpgrade(t *testing.T) {
	s := start(t, live.Options{Limits: live.Limits{Sockets: 1}}, ws.Config{})
	key, deleted := s.Image(), s.Image()
	s.Ask(deleted, canvas.SoftDelete{By: canvas.Author{User: "ann", Role: easel.Annotator}})
	full := s.Image()
	s.join(t, full, "ann_annotator", "tab")
	tests := []struct {
		name, image, token, origin string
		status                     int
	}{
		{"no token", imageID(key), "x", "", http.StatusUnauthorized},
		{"no such image", string(easel.NewID()), "ann_annotator", "", http.StatusNotFound},
		{"deleted image", imageID(deleted), "ann_annotator", "", http.StatusGone},
		{"origin", imageID(key), "ann_annotator", "https://evil.example", http.StatusForbidden},
		{"full", imageID(full), "bob_annotator", "", http.StatusTooManyRequests},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := websocket.Dialer{Subprotocols: []string{"easel.v1", "bearer." + tt.token}}
			h := http.Header{}
			if tt.origin != "" {
				h.Set("Origin", tt.origin)
			}
			c, resp, err := d.DialContext(t.Context(), s.url+tt.image, h)
			if err == nil {
				_ = c.Close()
				t.Fatal("upgraded")
			}
			if resp == nil || resp.StatusCode != tt.status {
				t.Fatalf("response = %v, %v", resp, err)
			}
		})
	}
}

func TestClientWithoutTheSubprotocolIsTooOld(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	d := websocket.Dialer{Subprotocols: []string{"bearer.ann_annotator"}}
	c, _, err := d.DialContext(t.Context(), s.url+imageID(key), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	(&client{Conn: c, t: t}).wantClose(4426)
}

func TestViewerMayOnlyWatch(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	c, _ := s.join(t, key, "eve_viewer", "tab")
	c.say(put("1", idA))
	if got := c.want("rej"); got.Code != "forbidden" || got.Seq != 1 {
		t.Errorf("rej = %s", got.raw)
	}
	c.say(`{"t":"chat","text":"hi"}`)
	if got := c.want("err"); got.Code != "forbidden" {
		t.Errorf("err = %s", got.raw)
	}
	c.say(`{"t":"ping"}`)
	c.want("pong")
}

func TestRoleChangesWithAuth(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	c, _ := s.join(t, key, "ann_annotator", "tab")
	c.say(`{"t":"auth","token":"ann_viewer"}`)
	c.say(put("1", idA))
	if got := c.want("rej"); got.Code != "forbidden" {
		t.Errorf("rej = %s", got.raw)
	}
}

func TestTokenExpires(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	c, _ := s.join(t, key, "ann_annotator_1500ms", "tab")
	kept, _ := s.join(t, key, "ann_annotator_1500ms", "kept")
	kept.say(`{"t":"auth","token":"ann_annotator_1h"}`)
	c.wantClose(4401)
	kept.say(`{"t":"ping"}`)
	kept.want("pong")
}

func TestChatAndImageNews(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	ann, _ := s.join(t, key, "ann_annotator", "tab")
	bob, _ := s.join(t, key, "bob_annotator", "tab")
	ann.say(`{"t":"chat","text":"hi"}`)
	for _, c := range []*client{ann, bob} {
		if got := c.want("chat"); got.By != "ann" || got.Text != "hi" {
			t.Errorf("chat = %s", got.raw)
		}
	}
	s.Ask(key, canvas.SoftDelete{By: canvas.Author{User: "ann", Role: easel.Annotator}})
	if got := bob.want("image"); got.Image == nil || got.Image.DeletedAt == 0 {
		t.Errorf("image = %s", got.raw)
	}
	ann.say(put("1", idA))
	if got := ann.want("rej"); got.Code != "gone" {
		t.Errorf("rej = %s", got.raw)
	}
	ann.say(`{"t":"ping"}`)
	ann.want("pong")
}

func TestPresence(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	ann, wa := s.join(t, key, "ann_annotator", "tab")
	bob, wb := s.join(t, key, "bob_viewer", "tab")
	if got := ann.want("pres"); got.Conn != wb.Conn {
		t.Errorf("bob comes: %s", got.raw)
	}
	for i := range 20 {
		ann.say(`{"t":"pres","state":{"cursor":[0.5,` + string(rune('0'+i%10)) + `]}}`)
	}
	seen := 0
	for {
		f := bob.want("pres")
		seen++
		if f.Conn != wa.Conn || f.User != "ann" {
			t.Fatalf("pres = %s", f.raw)
		}
		if string(f.State) == `{"cursor":[0.5,9]}` && seen > 1 {
			break
		}
	}
	if seen > 4 {
		t.Errorf("%d states shown of 20 sent at once", seen)
	}
	_ = ann.Close()
	if got := bob.want("left"); got.Conn != wa.Conn {
		t.Errorf("left = %s", got.raw)
	}
	for range 40 {
		bob.say(`{"t":"pres","state":{}}`)
	}
	if got := bob.want("err"); got.Code != "rate_limited" || !got.Temporary || got.RetryAfter < 1 {
		t.Errorf("err = %s", got.raw)
	}
}

func TestOpRate(t *testing.T) {
	s := start(t, live.Options{Limits: live.Limits{ClientOps: 1, ClientBurst: 2}}, ws.Config{})
	key := s.Image()
	c, _ := s.join(t, key, "ann_annotator", "tab")
	c.say(put("1", idA))
	c.want("ack")
	c.say(put("2", idB))
	c.want("ack")
	c.say(put("3", string(easel.NewID())))
	if got := c.want("rej"); got.Code != "rate_limited" || !got.Temporary || got.RetryAfter < 1 {
		t.Errorf("rej = %s", got.raw)
	}
}

func TestTimeouts(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{
		Hello: 500 * time.Millisecond, PingEvery: 300 * time.Millisecond, PongWait: time.Second,
	})
	key := s.Image()
	t.Run("no hello", func(t *testing.T) {
		c := s.dial(t, key, "ann_annotator")
		c.say(`{"t":"ping"}`)
		c.wantClose(4510)
	})
	t.Run("no pong", func(t *testing.T) {
		c, _ := s.join(t, key, "ann_annotator", "tab")
		c.SetPingHandler(func(string) error { return nil })
		c.wantClose(4512)
	})
	t.Run("pongs keep it open", func(t *testing.T) {
		c, _ := s.join(t, key, "ann_annotator", "tab2")
		pings := 0
		pong := c.PingHandler()
		c.SetPingHandler(func(data string) error {
			if pings++; pings == 4 {
				s.Put(key, 1)
			}
			return pong(data)
		})
		c.want("ops")
	})
}

func TestDrain(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	c, _ := s.join(t, key, "ann_annotator", "tab")
	done := make(chan error, 1)
	go func() { done <- s.Rooms.Drain(t.Context()) }()
	if got := c.want("bye"); got.Reason == "" {
		t.Errorf("bye = %s", got.raw)
	}
	c.wantClose(4503)
	if err := <-done; err != nil {
		t.Error(err)
	}
	late := s.dial(t, key, "ann_annotator")
	if got := late.want("bye"); got.Reason == "" {
		t.Errorf("bye = %s", got.raw)
	}
	late.wantClose(4503)
}

// Who is sent elsewhere is asked to come back at once, and may: only a drain ends
// what came meanwhile.
func TestDispersedClientsMayComeBackUntilTheDrain(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	var all []*client
	for i := range 3 {
		c, _ := s.join(t, key, "ann_annotator", fmt.Sprintf("tab%d", i))
		all = append(all, c)
	}
	if err := s.Rooms.Disperse(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, c := range all {
		if got := c.want("bye"); got.After != 0 {
			t.Errorf("bye = %s", got.raw)
		}
		c.wantClose(4503)
		all[i], _ = s.join(t, key, "ann_annotator", fmt.Sprintf("tab%d", i))
	}
	s.Put(key, 1)
	for _, c := range all {
		c.want("ops")
	}
	done := make(chan error, 1)
	go func() { done <- s.Rooms.Drain(t.Context()) }()
	for _, c := range all {
		c.want("bye")
		c.wantClose(4503)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestKeyIsRevoked(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	key := s.Image()
	who := livetest.Who("svc", easel.Annotator)
	who.Key = easel.NewID()
	seat, err := s.Rooms.Join(t.Context(), key, who)
	if err != nil {
		t.Fatal(err)
	}
	defer seat.Leave(t.Context())
	s.watch(t, func() error { return easel.Errorf(easel.CodeUnauthorized, "revoked") })
	for seat.Closed() == nil {
		<-seat.Ready()
	}
	if got := *seat.Closed(); got != live.CloseUnauthorized {
		t.Errorf("closed %v", got)
	}
}

func TestWelcomeHasEveryField(t *testing.T) {
	s := start(t, live.Options{}, ws.Config{})
	_, w := s.join(t, s.Image(), "ann_annotator", "tab")
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(w.raw), &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields("t conn epoch ver recovered known role last_seq image last_message peers limits") {
		if _, ok := fields[name]; !ok {
			t.Errorf("welcome has no %s: %s", name, w.raw)
		}
	}
}

func TestDefaultsAreThoseOfTheProtocol(t *testing.T) {
	got := ws.New(t.Context(), ws.Config{}).Config()
	for name, v := range map[string]struct{ got, want time.Duration }{
		"wait for the hello":     {got.Hello, 10 * time.Second},
		"time between pings":     {got.PingEvery, 25 * time.Second},
		"silence after a ping":   {got.PongWait, 8 * time.Second},
		"write without progress": {got.Stall, 30 * time.Second},
	} {
		if v.got != v.want {
			t.Errorf("%s is %s, not %s", name, v.got, v.want)
		}
	}
	if got.FrameBytes != 64<<10 {
		t.Errorf("a frame has at most %d bytes", got.FrameBytes)
	}
}
