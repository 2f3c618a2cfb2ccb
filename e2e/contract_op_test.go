package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// put returns an op that makes an annotation; id "" leaves it to the server.
func put(id, label string) string {
	if id != "" {
		id = `"id":"` + id + `",`
	}
	return `{"k":"put",` + id + `"annotation":{"label":"` + label + `","x":0.1,"y":0.1,"width":0.2,"height":0.2}}`
}

// opFrame returns an op frame.
func opFrame(seq int, ops ...string) string {
	return fmt.Sprintf(`{"t":"op","seq":%d,"ops":[%s]}`, seq, strings.Join(ops, ","))
}

// decoded reads a frame of the server.
func decoded(t *testing.T, b json.RawMessage) (f frame) {
	t.Helper()
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return f
}

// chosen returns an id that a client chose.
func chosen(n int) string { return fmt.Sprintf("%032x", 0xabc000+n) }

// TestContractOps: verdicts, their replay, and what each op may do.
func TestContractOps(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada, bob := w.as("acme", "ada", ""), w.as("acme", "bob", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	s, _ := ada.join(t, row.ID, "c")
	watcher, _ := bob.join(t, row.ID, "watcher")
	seq := 0
	say := func(ops ...string) { seq++; s.say(t, opFrame(seq, ops...)) }
	accept := func(t *testing.T, ops ...string) frame {
		t.Helper()
		say(ops...)
		return decoded(t, s.want(t, "ack"))
	}
	reject := func(t *testing.T, code string, ops ...string) json.RawMessage {
		t.Helper()
		say(ops...)
		rej := s.want(t, "rej")
		var r struct {
			Seq       int
			Code      string
			Temporary *bool
			Message   string
		}
		if err := json.Unmarshal(rej, &r); err != nil || r.Code != code || r.Seq != seq || r.Temporary == nil || *r.Temporary || r.Message == "" {
			t.Errorf("got %s, want %s of seq %d", rej, code, seq)
		}
		return rej
	}
	a, b := chosen(1), chosen(2)

	say(put(a, "cat"), put("", "dog"))
	ack := s.want(t, "ack")
	if keys := fmt.Sprint(keysOf(t, ack)); keys != "[results seq t ver]" {
		t.Errorf("ack has %s", keys)
	}
	if f := decoded(t, ack); f.Seq != 1 || f.Ver != 1 || len(f.Results) != 2 || f.Results[0].ID != a || f.Results[0].Rev != 1 {
		t.Errorf("%s", ack)
	}
	ops := s.want(t, "ops")
	if keys := fmt.Sprint(keysOf(t, ops)); keys != "[at by conn ops seq t ver]" {
		t.Errorf("ops has %s", keys)
	}
	if strings.Contains(string(ops), `"client"`) {
		t.Errorf("a client id is shown: %s", ops)
	}
	if f := decoded(t, ops); f.Seq != 1 || f.Ver != 1 || f.By != "ada" || len(f.Ops) != 2 || f.Ops[0].Annotation.By != "ada" {
		t.Errorf("%s", ops)
	}
	if !timeForm.Match(member(t, ops, "at")) {
		t.Errorf("%s", ops)
	}
	ada.draw(t, row.ID, "rest")
	rest := s.want(t, "ops")
	if keys := fmt.Sprint(keysOf(t, rest)); keys != "[at by ops t ver]" {
		t.Errorf("a REST write's ops has %s", keys)
	}

	t.Run("put again", func(t *testing.T) {
		if f := accept(t, put(a, "cat")); len(f.Results) != 1 || f.Results[0].Rev != 1 || f.Ver != 2 {
			t.Errorf("equal content: %+v", f)
		}
		rej := reject(t, "conflict", put(a, "cow"))
		_ = rej
	})
	t.Run("patch", func(t *testing.T) {
		if f := accept(t, `{"k":"patch","id":"`+a+`","set":{"label":"lion","confidence":0.5}}`); f.Results[0].Rev != 2 {
			t.Errorf("%+v", f)
		}
		if f := accept(t, `{"k":"patch","id":"`+a+`","set":{"x":0.2,"y":0.2,"width":0.1,"height":0.1},"base":2}`); f.Results[0].Rev != 3 {
			t.Errorf("%+v", f)
		}
		rej := reject(t, "conflict", `{"k":"patch","id":"`+a+`","set":{"label":"x"},"base":2}`)
		if string(member(t, rej, "current", "rev")) != "3" || string(member(t, rej, "current", "label")) != `"lion"` {
			t.Errorf("%s", rej)
		}
		rej = reject(t, "conflict", `{"k":"del","id":"`+a+`","base":1}`)
		if string(member(t, rej, "current", "rev")) != "3" {
			t.Errorf("%s", rej)
		}
		reject(t, "not_found", `{"k":"patch","id":"`+chosen(99)+`","set":{"label":"x"}}`)
		reject(t, "not_found", `{"k":"del","id":"`+chosen(99)+`"}`)
	})
	t.Run("all or nothing", func(t *testing.T) {
		before := decoded(t, accept(t, put(b, "b")).raw(t)).Ver
		reject(t, "not_found", put(chosen(3), "never"), `{"k":"del","id":"`+chosen(98)+`"}`)
		ada.refused(t, "not_found", "GET", "/api/images/"+row.ID+"/annotations/"+chosen(3), nil)
		if f := accept(t, put(chosen(4), "x"), `{"k":"patch","id":"`+chosen(4)+`","set":{"label":"y"}}`, `{"k":"del","id":"`+chosen(4)+`"}`); f.Ver != before+1 || len(f.Results) != 3 {
			t.Errorf("put, patch and del in one: %+v", f)
		}
	})
	t.Run("deleted", func(t *testing.T) {
		accept(t, `{"k":"del","id":"`+a+`"}`)
		reject(t, "gone", `{"k":"del","id":"`+a+`"}`)
		reject(t, "gone", `{"k":"patch","id":"`+a+`","set":{"label":"x"}}`)
		reject(t, "gone", put(a, "cat"))
		for {
			f := decoded(t, watcher.want(t, "ops"))
			if f.Ops[0].K == "del" && f.Ops[0].ID == a {
				if f.Ops[0].Annotation != nil {
					t.Error("a del shows an annotation")
				}
				break
			}
		}
	})
	t.Run("by another author", func(t *testing.T) {
		o, _ := bob.join(t, row.ID, "c")
		o.say(t, opFrame(1, put(b, "b")))
		if rej := o.want(t, "rej"); string(member(t, rej, "code")) != `"conflict"` {
			t.Errorf("%s", rej)
		}
		o.say(t, opFrame(2, `{"k":"patch","id":"`+b+`","set":{"label":"bob's"}}`))
		o.want(t, "ack")
	})
	t.Run("bad ops", func(t *testing.T) {
		many := make([]string, 501)
		for i := range many {
			many[i] = `{"k":"del","id":"` + chosen(7) + `"}`
		}
		for name, c := range map[string]struct{ op, code string }{
			"no ops":         {"", "invalid"},
			"501":            {strings.Join(many, ","), "invalid"},
			"unknown kind":   {`{"k":"move","id":"` + b + `"}`, "invalid bad_request"},
			"no kind":        {`{"id":"` + b + `"}`, "invalid"},
			"unknown key":    {`{"k":"del","id":"` + b + `","z":1}`, "bad_request"},
			"duplicate key":  {`{"k":"del","id":"` + b + `","id":"` + a + `"}`, "bad_request"},
			"no id":          {`{"k":"del"}`, "invalid"},
			"bad id":         {`{"k":"del","id":"x"}`, "invalid"},
			"empty set":      {`{"k":"patch","id":"` + b + `","set":{}}`, "invalid"},
			"no set":         {`{"k":"patch","id":"` + b + `"}`, "invalid"},
			"bad label":      {put("", ""), "invalid"},
			"outside":        {`{"k":"patch","id":"` + b + `","set":{"x":0.95}}`, "invalid"},
			"no annotation":  {`{"k":"put"}`, "invalid"},
			"put with base":  {`{"k":"put","base":1,"annotation":{"label":"a","x":0,"y":0,"width":1,"height":1}}`, "bad_request invalid"},
			"put with image": {`{"k":"put","annotation":{"image_id":"` + row.ID + `","label":"a","x":0,"y":0,"width":1,"height":1}}`, "bad_request"},
			"number":         {"5", "bad_request"},
			"base of no rev": {`{"k":"del","id":"` + b + `","base":"1"}`, "bad_request"},
			"huge number":    {`{"k":"patch","id":"` + b + `","set":{"x":1e999}}`, "invalid"},
		} {
			t.Run(name, func(t *testing.T) {
				say(c.op)
				rej := s.want(t, "rej")
				if f := decoded(t, rej); !slices.Contains(strings.Fields(c.code), f.Code) || f.Seq != int64(seq) || f.Temporary {
					t.Errorf("got %s, want %s of seq %d", rej, c.code, seq)
				}
				if decoded(t, rej).Code == "invalid" && !slices.Contains(keysOf(t, rej), "details") {
					t.Errorf("no details: %s", rej)
				}
			})
		}
	})
	t.Run("replay", func(t *testing.T) {
		frame := opFrame(seq+1, put(chosen(20), "once"))
		seq++
		s.say(t, frame)
		first := s.want(t, "ack")
		s.say(t, frame)
		if again := s.want(t, "ack"); string(again) != string(first) {
			t.Errorf("first %s, again %s", first, again)
		}
		s.say(t, opFrame(seq, put(chosen(21), "other")))
		rej := s.want(t, "rej")
		if f := decoded(t, rej); f.Code != "conflict" || f.Temporary || f.Seq != int64(seq) {
			t.Errorf("%s", rej)
		}
		// Spelled otherwise it is the same frame.
		s.say(t, fmt.Sprintf(`{ "ops":[%s], "seq":%d, "t":"op" }`, put(chosen(20), "once"), seq))
		if again := s.want(t, "ack"); string(again) != string(first) {
			t.Errorf("spelled otherwise: %s", again)
		}
		seq++
		bad := opFrame(seq, `{"k":"del","id":"`+chosen(97)+`"}`)
		s.say(t, bad)
		firstRej := s.want(t, "rej")
		s.say(t, bad)
		if again := s.want(t, "rej"); string(again) != string(firstRej) {
			t.Errorf("first %s, again %s", firstRej, again)
		}
		// REST and socket share a client's seqs.
		seq++
		body := fmt.Sprintf(`{"client":"c","seq":%d,"ops":[%s]}`, seq, put(chosen(22), "rest"))
		done := ada.must(t, 200, "POST", "/api/images/"+row.ID+"/ops", raw(body))
		s.say(t, opFrame(seq, put(chosen(22), "rest")))
		if again := decoded(t, s.want(t, "ack")); again.Ver != decodedVer(t, done) || again.Results[0].ID != chosen(22) {
			t.Errorf("%s, then %+v", done, again)
		}
	})
	t.Run("skipped seq", func(t *testing.T) {
		s.say(t, opFrame(seq+5, put("", "x")))
		rej := s.want(t, "rej")
		if f := decoded(t, rej); f.Code != "bad_seq" || !f.Temporary || string(member(t, rej, "expected")) != fmt.Sprint(seq+1) {
			t.Errorf("%s", rej)
		}
		accept(t, put("", "x")) // nothing was consumed
	})
	t.Run("no usable seq", func(t *testing.T) {
		for _, bad := range []string{`{"t":"op","ops":[]}`, `{"t":"op","seq":0,"ops":[` + put("", "x") + `]}`, `{"t":"op","seq":-1,"ops":[]}`, `{"t":"op","seq":"1","ops":[]}`, `{"t":"op","seq":1.5,"ops":[]}`, `{"t":"op","seq":null,"ops":[]}`, `{"t":"op","seq":99999999999999999999,"ops":[]}`} {
			s.say(t, bad)
			e := s.want(t, "err")
			if code := decoded(t, e).Code; code != "bad_request" && code != "invalid" {
				t.Errorf("%s: %s", bad, e)
			}
		}
	})
	t.Run("older than 32", func(t *testing.T) {
		first := seq + 1
		for range 33 {
			accept(t, put("", "x"))
		}
		s.say(t, opFrame(first, put("", "x")))
		rej := s.want(t, "rej")
		if f := decoded(t, rej); f.Code != "gone" || f.Temporary {
			t.Errorf("%s", rej)
		}
	})
	t.Run("image deleted", func(t *testing.T) {
		ada.must(t, 204, "DELETE", "/api/images/"+row.ID, nil)
		for {
			e := s.want(t, "image")
			if string(member(t, e, "image", "deleted_at")) != "null" {
				break
			}
		}
		reject(t, "gone", put("", "x"))
		ada.must(t, 200, "POST", "/api/images/"+row.ID+"/restore", nil)
		for {
			e := s.want(t, "image")
			if string(member(t, e, "image", "deleted_at")) == "null" {
				break
			}
		}
		accept(t, put("", "x"))
	})
}

// raw returns a frame as JSON again.
func (f frame) raw(t *testing.T) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decodedVer returns the version that an answer tells.
func decodedVer(t *testing.T, a answer) (ver int64) {
	t.Helper()
	if err := json.Unmarshal(member(t, a.body, "ver"), &ver); err != nil {
		t.Fatal(err)
	}
	return ver
}

// TestContractOpsREST: POST ops is the socket's op frame.
func TestContractOpsREST(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	path := "/api/images/" + row.ID + "/ops"
	send := func(seq int, ops ...string) answer {
		return ada.text(t, "POST", path, fmt.Sprintf(`{"client":"c","seq":%d,"ops":[%s]}`, seq, strings.Join(ops, ",")))
	}
	first := send(1, put(chosen(1), "cat"))
	if first.status != 200 || !strings.Contains(string(first.body), `"seq":1`) || !strings.Contains(string(first.body), `"results":[{"id":"`+chosen(1)+`","rev":1}]`) || decodedVer(t, first) != 1 {
		t.Errorf("%s", first)
	}
	if again := send(1, put(chosen(1), "cat")); string(again.body) != string(first.body) {
		t.Errorf("%s", again)
	}
	send(1, put(chosen(1), "dog")).fails(t, 409, "conflict")
	if p := send(5, put(chosen(2), "dog")).fails(t, 409, "bad_seq"); p.Expected != 2 {
		t.Errorf("%+v", p)
	}
	p := send(2, `{"k":"patch","id":"`+chosen(1)+`","set":{"label":"x"},"base":7}`).fails(t, 409, "conflict")
	if p.Current == nil || p.Current.Rev != 1 {
		t.Errorf("%+v", p)
	}
	send(2, `{"k":"patch","id":"`+chosen(1)+`","set":{"label":"x"},"base":7}`).fails(t, 409, "conflict") // the stored verdict
	send(3, `{"k":"del","id":"`+chosen(9)+`"}`).fails(t, 404, "not_found")
	send(4, put("", "")).fails(t, 422, "invalid")
	send(5, `{"k":"del","id":"`+chosen(1)+`"}`)
	send(6, `{"k":"del","id":"`+chosen(1)+`"}`).fails(t, 410, "gone")
	for body, code := range map[string]string{
		`{"seq":7,"ops":[` + put("", "x") + `]}`: "invalid", `{"client":"","seq":7,"ops":[` + put("", "x") + `]}`: "invalid", `{"client":"c","ops":[` + put("", "x") + `]}`: "invalid",
		`{"client":"c","seq":0,"ops":[` + put("", "x") + `]}`: "invalid", `{"client":"c","seq":"7","ops":[]}`: "bad_request", `{"client":5,"seq":7,"ops":[]}`: "bad_request",
	} {
		ada.text(t, "POST", path, body).fails(t, statusOf[code], code)
	}
	if got := send(7, put("", "after all that")); got.status != 200 {
		t.Errorf("%s", got)
	}
}
