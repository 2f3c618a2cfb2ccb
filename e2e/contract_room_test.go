package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestContractFrames: what is no frame, and what closes a socket.
func TestContractFrames(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	for name, c := range map[string]struct {
		kind int
		data string
		code int
	}{
		"not JSON":  {websocket.TextMessage, "hello", 4400},
		"cut":       {websocket.TextMessage, `{"t":"ping"`, 4400},
		"trailing":  {websocket.TextMessage, `{"t":"ping"}{}`, 4400},
		"empty":     {websocket.TextMessage, "", 4400},
		"array":     {websocket.TextMessage, `[{"t":"ping"}]`, 4400},
		"null":      {websocket.TextMessage, "null", 4400},
		"number":    {websocket.TextMessage, "5", 4400},
		"binary":    {websocket.BinaryMessage, `{"t":"ping"}`, 4400},
		"not UTF-8": {websocket.TextMessage, "{\"t\":\"chat\",\"text\":\"\xff\"}", 4400},
		"too large": {websocket.TextMessage, `{"t":"chat","text":"` + strings.Repeat("x", 64<<10) + `"}`, 1009},
	} {
		for _, greeted := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", greeted), func(t *testing.T) {
				t.Parallel()
				s := ada.open(t, row.ID)
				if greeted {
					s.say(t, `{"t":"hello","client":"`+name+`"}`)
					s.want(t, "welcome")
				}
				if err := s.WriteMessage(c.kind, []byte(c.data)); err != nil {
					t.Fatal(err)
				}
				if code := s.closed(t); code != c.code {
					t.Errorf("closed with %d, want %d", code, c.code)
				}
			})
		}
	}
	t.Run("the socket stays", func(t *testing.T) {
		t.Parallel()
		s, _ := ada.join(t, row.ID, "stays")
		for frame, codes := range map[string]string{
			`{}`: "bad_request invalid", `{"t":5}`: "bad_request", `{"t":"dance"}`: "bad_request invalid", `{"t":"chat"}`: "invalid", `{"t":"chat","text":5}`: "bad_request", `{"t":"chat","text":""}`: "invalid",
			`{"t":"chat","text":"x","zzz":1}`: "bad_request", `{"t":"chat","text":"x","text":"y"}`: "bad_request", `{"t":"pres"}`: "invalid", `{"t":"pres","state":5}`: "bad_request",
			`{"t":"auth"}`: "invalid", `{"t":"auth","token":"x"}`: "unauthorized", `{"t":"auth","token":5}`: "bad_request", `{"t":"welcome"}`: "bad_request invalid",
			`{"t":"pres","state":{"cursor":[1]}}`: "bad_request invalid", `{"t":"pres","state":{"cursor":["a","b"]}}`: "bad_request", `{"t":"pres","state":{"selection":["x"]}}`: "bad_request invalid",
		} {
			s.say(t, frame)
			for {
				kind, e, err := s.hear(t)
				if err != nil {
					t.Fatalf("%s: %v", frame, err)
				}
				if kind != "err" {
					continue
				}
				if f := decoded(t, e); !slices.Contains(strings.Fields(codes), f.Code) || !slices.Contains(keysOf(t, e), "temporary") || f.Temporary {
					t.Errorf("%s: got %s, want %s", frame, e, codes)
				}
				break
			}
		}
		s.say(t, `{"t":"ping"}`)
		s.want(t, "pong")
		// 64 KiB to the byte is a frame.
		text := `{"t":"ping"}`
		s.say(t, text+strings.Repeat(" ", 64<<10-len(text)))
		s.want(t, "pong")
	})
	t.Run("before the upgrade", func(t *testing.T) {
		t.Parallel()
		for name, c := range map[string]struct {
			a      *api
			image  string
			header []string
			status string
		}{
			"no token":                {w.anonymous(), row.ID, nil, ": 401"},
			"bad token":               {newAPI(w.base, "x"), row.ID, nil, ": 401"},
			"no such image":           {ada, strings.Repeat("0", 32), nil, ": 404"},
			"another tenant":          {w.as("evil", "eve", ""), row.ID, nil, ": 404"},
			"origin":                  {ada, row.ID, []string{"Origin", "https://evil.example.com"}, ": 403"},
			"bearer in protocol, bad": {w.anonymous(), row.ID, []string{"Sec-WebSocket-Protocol", "easel.v1, bearer.x"}, ": 401"},
		} {
			if _, err := c.a.dialQuery(t, c.image, "", c.header...); err == nil || !strings.HasSuffix(err.Error(), c.status) {
				t.Errorf("%s: %v, want %s", name, err, c.status)
			}
		}
		s, err := w.anonymous().dialQuery(t, row.ID, "", "Sec-WebSocket-Protocol", "easel.v1, bearer."+ada.token, "Origin", w.base)
		if err != nil {
			t.Fatal(err)
		}
		if s.Subprotocol() != "easel.v1" {
			t.Errorf("subprotocol %q", s.Subprotocol())
		}
		s, err = w.anonymous().dialQuery(t, row.ID, "", "Sec-WebSocket-Protocol", "bearer."+ada.token+", easel.v1")
		if err != nil || s.Subprotocol() != "easel.v1" {
			t.Errorf("%v", err)
		}
		if got := ada.text(t, "GET", "/api/images/"+row.ID+"/live", ""); got.status < 400 || got.status >= 500 {
			t.Errorf("no upgrade: %s", got)
		}
	})
}

// TestContractRoom: presence, chat, image events and event streams.
func TestContractRoom(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada, bob, eye := w.as("acme", "ada", ""), w.as("acme", "bob", ""), w.as("acme", "eye", "viewer")
	row := ada.upload(t, "a.png", picture(33, 22, 1))
	s, _ := ada.join(t, row.ID, "c")
	b, _ := bob.join(t, row.ID, "c")
	v, _ := eye.join(t, row.ID, "c")
	e := eye.stream(t, row.ID, "")
	first := e.until(t, "snap")
	if !first.frame.Last || first.id == "" {
		t.Errorf("%+v", first)
	}
	t.Run("viewer", func(t *testing.T) {
		v.say(t, opFrame(1, put("", "x")))
		if rej := decoded(t, v.want(t, "rej")); rej.Code != "forbidden" {
			t.Errorf("%+v", rej)
		}
		v.say(t, `{"t":"chat","text":"x"}`)
		if got := decoded(t, v.want(t, "err")); got.Code != "forbidden" {
			t.Errorf("%+v", got)
		}
		v.say(t, `{"t":"pres","state":{"cursor":[0.9,0.9]}}`)
		for {
			pres := s.want(t, "pres")
			if string(member(t, pres, "user")) == `"eye"` {
				break
			}
		}
	})
	t.Run("presence coalesces to the newest", func(t *testing.T) {
		for i := range 25 {
			s.say(t, fmt.Sprintf(`{"t":"pres","state":{"cursor":[0.%03d,0.5]}}`, i+1))
		}
		for {
			if pres := b.want(t, "pres"); strings.Contains(string(pres), "[0.025,0.5]") {
				break
			}
		}
	})
	t.Run("chat", func(t *testing.T) {
		s.say(t, `{"t":"chat","text":"héllo"}`)
		for _, who := range []socket{s, b, v} {
			chat := who.want(t, "chat")
			if keys := fmt.Sprint(keysOf(t, chat)); keys != "[at by id t text]" || string(member(t, chat, "by")) != `"ada"` || string(member(t, chat, "text")) != `"héllo"` || !timeForm.Match(member(t, chat, "at")) {
				t.Errorf("%s", chat)
			}
		}
		if got := e.until(t, "chat"); got.frame.Text != "héllo" {
			t.Errorf("%s", got.data)
		}
		bob.must(t, 201, "POST", "/api/images/"+row.ID+"/messages", raw(`{"text":"by REST"}`))
		if chat := s.want(t, "chat"); string(member(t, chat, "text")) != `"by REST"` {
			t.Errorf("%s", chat)
		}
		list := ada.must(t, 200, "GET", "/api/images/"+row.ID+"/messages", nil)
		if !strings.Contains(string(list.body), "héllo") || !strings.Contains(string(list.body), "by REST") {
			t.Errorf("%s", list)
		}
	})
	t.Run("image", func(t *testing.T) {
		ada.must(t, 200, "PATCH", "/api/images/"+row.ID, raw(`{"filename":"renamed.png"}`))
		for _, who := range []socket{s, b} {
			for {
				f := who.want(t, "image")
				if string(member(t, f, "image", "filename")) == `"renamed.png"` {
					if string(member(t, f, "image", "version")) != "0" {
						t.Errorf("%s", f)
					}
					break
				}
			}
		}
	})
	t.Run("stream", func(t *testing.T) {
		s.say(t, opFrame(1, put(chosen(1), "one")))
		s.want(t, "ack")
		one := e.until(t, "ops")
		if one.frame.Ver != 1 || !strings.HasSuffix(one.id, ":1") {
			t.Errorf("%q %s", one.id, one.data)
		}
		socketFrame := b.want(t, "ops")
		if string(socketFrame) != string(one.data) {
			t.Errorf("the socket got %s, the stream %s", socketFrame, one.data)
		}
		e.cancel()
		s.say(t, opFrame(2, put(chosen(2), "two")))
		s.want(t, "ack")
		resumed := eye.stream(t, row.ID, one.id)
		for ev := range resumed.events {
			if ev.frame.T == "snap" {
				t.Errorf("a resumed stream starts with %s", ev.data)
			}
			if ev.frame.T == "ops" {
				if ev.frame.Ver != 2 {
					t.Errorf("%s", ev.data)
				}
				break
			}
		}
		for _, stale := range []string{"another:1", strings.TrimSuffix(one.id, "1") + "99", "nonsense"} {
			if got := eye.stream(t, row.ID, stale).until(t, "snap"); len(got.frame.Annotations) != 2 {
				t.Errorf("%s: %s", stale, got.data)
			}
		}
		if h := resumed.header; h.Get("Cache-Control") == "" || strings.Contains(h.Get("Cache-Control"), "max-age=3600") {
			t.Errorf("%v", h)
		}
	})
}

// TestContractTokenLife: a socket ends with its token unless it is extended, and
// a change of role takes effect.
func TestContractTokenLife(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	brief := func() string {
		return bearer(claims{"tenant": "acme", "exp": time.Now().Add(3 * time.Second).Unix()})
	}
	t.Run("expires", func(t *testing.T) {
		t.Parallel()
		s, _ := newAPI(w.base, brief()).join(t, row.ID, "expires")
		if code := s.closed(t); code != 4401 {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("expires, stream", func(t *testing.T) {
		t.Parallel()
		e := newAPI(w.base, brief()).stream(t, row.ID, "")
		e.until(t, "snap")
		deadline := time.After(patience)
		for {
			select {
			case _, ok := <-e.events:
				if !ok {
					return
				}
			case <-deadline:
				t.Fatal("the stream goes on")
			}
		}
	})
	t.Run("extended", func(t *testing.T) {
		t.Parallel()
		first := brief()
		s, _ := newAPI(w.base, first).join(t, row.ID, "extended")
		s.say(t, `{"t":"auth","token":"`+ada.token+`"}`)
		eventually(t, "the first token is over", func() error {
			got, err := newAPI(w.base, first).do(t.Context(), "GET", "/api/me", nil)
			if err == nil && got.status != 401 {
				err = fmt.Errorf("%s", got)
			}
			return err
		})
		s.say(t, opFrame(1, put("", "still")))
		s.want(t, "ack")
	})
	t.Run("another's token", func(t *testing.T) {
		t.Parallel()
		s, _ := ada.join(t, row.ID, "other")
		for _, c := range []claims{{"sub": "bob", "tenant": "acme"}, {"sub": "ada", "tenant": "evil"}, {"sub": "ada", "exp": 1, "tenant": "acme"}} {
			s.say(t, `{"t":"auth","token":"`+bearer(c)+`"}`)
			if e := decoded(t, s.want(t, "err")); e.Code != "unauthorized" && e.Code != "forbidden" {
				t.Errorf("%+v", e)
			}
		}
		s.say(t, opFrame(1, put("", "still")))
		s.want(t, "ack")
	})
	t.Run("role", func(t *testing.T) {
		t.Parallel()
		s, _ := ada.join(t, row.ID, "role")
		s.say(t, `{"t":"auth","token":"`+bearer(claims{"tenant": "acme", "role": "viewer"})+`"}`)
		s.say(t, opFrame(1, put("", "no")))
		if rej := decoded(t, s.want(t, "rej")); rej.Code != "forbidden" {
			t.Errorf("%+v", rej)
		}
		s.say(t, `{"t":"auth","token":"`+ada.token+`"}`)
		eventually(t, "an annotator again", func() error {
			s.say(t, `{"t":"ping"}`)
			s.want(t, "pong")
			return nil
		})
	})
}
