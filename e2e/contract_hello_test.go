package e2e_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestContractWelcome: the greeting, field by field.
func TestContractWelcome(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada, bob := w.as("acme", "ada", "reviewer"), newAPI(w.base, bearer(claims{"tenant": "acme", "sub": "bob", "name": "Bob B"}))
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	shape := ada.draw(t, row.ID, "cat")
	ada.must(t, 201, "POST", "/api/images/"+row.ID+"/messages", raw(`{"text":"hello"}`))
	s := ada.open(t, row.ID)
	if got := s.Subprotocol(); got != "easel.v1" {
		t.Errorf("subprotocol %q", got)
	}
	s.say(t, `{"t":"hello","client":"tab-1"}`)
	welcome := s.want(t, "welcome")
	if keys := fmt.Sprint(keysOf(t, welcome)); keys != "[conn epoch image known last_message last_seq limits peers recovered role t ver]" {
		t.Errorf("welcome has %s", keys)
	}
	for name, want := range map[string]string{"ver": "1", "recovered": "false", "known": "false", "last_seq": "0", "role": `"reviewer"`, "peers": "[]"} {
		if got := string(member(t, welcome, name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if string(member(t, welcome, "image", "id")) != `"`+row.ID+`"` || !regexp.MustCompile(`^"[0-9a-f]{32}"$`).Match(member(t, welcome, "last_message")) {
		t.Errorf("welcome %s", welcome)
	}
	snap := s.want(t, "snap")
	if got := decoded(t, snap); got.Ver != 1 || !got.Last || len(got.Annotations) != 1 || got.Annotations[0].ID != shape.ID || string(member(t, snap, "i")) != "0" {
		t.Errorf("%s", snap)
	}
	if keys := fmt.Sprint(keysOf(t, []byte(strings.Trim(string(member(t, snap, "annotations")), "[]")))); keys != annotationFields {
		t.Errorf("an annotation has %s", keys)
	}
	s.say(t, `{"t":"pres","state":{"cursor":[0.5,0.25],"selection":["`+shape.ID+`"],"view":[0,0,1,1],"draft":{"x":0.1}}}`)
	s.say(t, `{"t":"ping"}`)
	if pong := s.want(t, "pong"); string(member(t, pong, "ver")) != "1" {
		t.Errorf("%s", pong)
	}
	b := bob.open(t, row.ID)
	b.say(t, `{"t":"hello","client":"tab-1","name":"Bobby"}`) // the same client id of another user is another client
	peers := member(t, b.want(t, "welcome"), "peers")
	var there []struct {
		Conn, User, Name string
		State            json.RawMessage
	}
	if err := json.Unmarshal(peers, &there); err != nil || len(there) != 1 || there[0].User != "ada" || there[0].Conn == "" || !strings.Contains(string(there[0].State), "[0.5,0.25]") {
		t.Errorf("peers %s", peers)
	}
	b.want(t, "snap")
	b.say(t, `{"t":"pres","state":{"cursor":[0.1,0.1]}}`)
	pres := s.want(t, "pres")
	if keys := fmt.Sprint(keysOf(t, pres)); keys != "[conn name state t user]" || string(member(t, pres, "user")) != `"bob"` {
		t.Errorf("%s", pres)
	}
	conn := member(t, pres, "conn")
	b.Close()
	if left := s.want(t, "left"); string(member(t, left, "conn")) != string(conn) {
		t.Errorf("%s, not %s", left, conn)
	}
}

// TestContractHello: since, known, last_seq.
func TestContractHello(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	s, welcome := ada.join(t, row.ID, "c")
	epoch := strings.Trim(string(member(t, welcome, "epoch")), `"`)
	for seq := 1; seq <= 3; seq++ {
		s.say(t, opFrame(seq, put("", fmt.Sprint("v", seq))))
		s.want(t, "ack")
	}
	s.Close()
	for name, c := range map[string]struct {
		since     string
		recovered string
		ops       int
	}{
		"none":          {"", "false", 0},
		"beginning":     {`,"since":{"epoch":"` + epoch + `","ver":0}`, "true", 3},
		"middle":        {`,"since":{"epoch":"` + epoch + `","ver":1}`, "true", 2},
		"now":           {`,"since":{"epoch":"` + epoch + `","ver":3}`, "true", 0},
		"future":        {`,"since":{"epoch":"` + epoch + `","ver":4}`, "false", 0},
		"another epoch": {`,"since":{"epoch":"x","ver":1}`, "false", 0},
		"far future":    {`,"since":{"epoch":"` + epoch + `","ver":9007199254740993}`, "false", 0},
		"null":          {`,"since":null`, "false", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := ada.open(t, row.ID)
			s.say(t, `{"t":"hello","client":"c"`+c.since+`}`)
			welcome := s.want(t, "welcome")
			if string(member(t, welcome, "recovered")) != c.recovered || string(member(t, welcome, "known")) != "true" || string(member(t, welcome, "last_seq")) != "3" || string(member(t, welcome, "ver")) != "3" {
				t.Fatalf("%s", welcome)
			}
			if c.recovered == "true" {
				for i := range c.ops {
					if f := decoded(t, s.want(t, "ops")); f.Ver != int64(3-c.ops+i+1) {
						t.Errorf("ver %d", f.Ver)
					}
				}
			} else if f := decoded(t, s.want(t, "snap")); f.Ver != 3 || len(f.Annotations) != 3 || !f.Last {
				t.Errorf("%+v", f)
			}
			s.say(t, `{"t":"ping"}`)
			if kind, b, err := s.hear(t); err != nil || kind != "pong" {
				t.Errorf("%s %v", b, err)
			}
			s.Close()
		})
	}
	for name, bad := range map[string]string{
		"no client": `{"t":"hello"}`, "empty client": `{"t":"hello","client":""}`, "number": `{"t":"hello","client":5}`, "long client": `{"t":"hello","client":"` + strings.Repeat("x", 1000) + `"}`,
		"since": `{"t":"hello","client":"c","since":5}`, "negative": `{"t":"hello","client":"c","since":{"epoch":"x","ver":-1}}`, "unknown": `{"t":"hello","client":"c","zzz":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := ada.open(t, row.ID)
			s.say(t, bad)
			e := s.want(t, "err")
			if keys := keysOf(t, e); !slices.Contains(keys, "code") || !slices.Contains(keys, "message") || !slices.Contains(keys, "temporary") {
				t.Errorf("%s", e)
			}
			s.say(t, `{"t":"hello","client":"fresh"}`) // the socket stays
			s.want(t, "welcome")
		})
	}
	t.Run("twice", func(t *testing.T) {
		s, _ := ada.join(t, row.ID, "twice")
		s.say(t, `{"t":"hello","client":"twice"}`)
		s.want(t, "err")
		s.say(t, `{"t":"ping"}`)
		s.want(t, "pong")
	})
	t.Run("op before hello", func(t *testing.T) {
		s := ada.open(t, row.ID)
		s.say(t, opFrame(1, put("", "x")))
		if kind, b, err := s.hear(t); err != nil || kind != "rej" && kind != "err" {
			t.Errorf("%s %v", b, err)
		}
		s.say(t, `{"t":"hello","client":"later"}`)
		s.want(t, "welcome")
	})
	t.Run("replaced", func(t *testing.T) {
		old, _ := ada.join(t, row.ID, "same")
		young, welcome := ada.join(t, row.ID, "same")
		if string(member(t, welcome, "peers")) != "[]" && strings.Contains(string(member(t, welcome, "peers")), `"same"`) {
			t.Errorf("%s", welcome)
		}
		if code := old.closed(t); code != 4409 {
			t.Errorf("closed with %d", code)
		}
		young.say(t, opFrame(1, put("", "x")))
		young.want(t, "ack")
	})
	t.Run("no hello", func(t *testing.T) {
		t.Parallel()
		s := ada.open(t, row.ID)
		began := time.Now()
		if code := s.closed(t); code != 4510 {
			t.Errorf("closed with %d", code)
		}
		if took := time.Since(began); took < 8*time.Second {
			t.Errorf("closed after %v", took)
		}
	})
}

// TestContractSnapshotChunks: more than 256 KiB come in chunks, live ops wait
// behind them, and what was missed is all there or none.
func TestContractSnapshotChunks(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	for i := range 4 {
		var parts []string
		for j := range 500 {
			parts = append(parts, drawing(row.ID, fmt.Sprint("shape-", i, "-", j), ""))
		}
		ada.must(t, 201, "POST", "/api/annotations/bulk", raw(`{"annotations":[`+strings.Join(parts, ",")+`]}`))
	}
	s := ada.open(t, row.ID)
	s.say(t, `{"t":"hello","client":"c"}`)
	s.want(t, "welcome")
	seen := map[string]bool{}
	for i := 0; ; i++ {
		kind, b, err := s.hear(t)
		if err != nil || kind != "snap" {
			t.Fatalf("%s %v", b, err)
		}
		f := decoded(t, b)
		if len(b) > 256<<10 || string(member(t, b, "i")) != fmt.Sprint(i) || f.Ver != 4 {
			t.Errorf("chunk %d has %d bytes, i %s, ver %d", i, len(b), member(t, b, "i"), f.Ver)
		}
		for _, a := range f.Annotations {
			seen[a.ID] = true
		}
		if f.Last {
			if i == 0 {
				t.Error("one chunk")
			}
			break
		}
	}
	if len(seen) != 2000 {
		t.Errorf("%d annotations", len(seen))
	}
	e := ada.stream(t, row.ID, "")
	got := 0
	for {
		snap := e.until(t, "snap")
		got += len(snap.frame.Annotations)
		if snap.frame.Last {
			if !strings.HasSuffix(snap.id, ":4") {
				t.Errorf("id %q", snap.id)
			}
			break
		}
	}
	if got != 2000 {
		t.Errorf("%d annotations in the event stream", got)
	}
}
