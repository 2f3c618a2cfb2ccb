package live_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/live"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		ok         bool
		code       easel.Code // of Bad or Refused; "": good
		seq        int64      // usable seq of an op
	}{
		{"hello", `{"t":"hello","client":"c","since":{"epoch":"e","ver":3},"name":"N"}`, true, "", 0},
		{"hello with null since", `{"t":"hello","client":"c","since":null}`, true, "", 0},
		{"hello with half a since", `{"t":"hello","client":"c","since":{"epoch":"e"}}`, true, easel.CodeInvalid, 0},
		{"hello with a past before time", `{"t":"hello","client":"c","since":{"epoch":"e","ver":-1}}`, true, easel.CodeInvalid, 0},
		{"hello with unknown key in since", `{"t":"hello","client":"c","since":{"epoch":"e","ver":1,"x":1}}`, true, easel.CodeBadRequest, 0},
		{"hello without client", `{"t":"hello"}`, true, easel.CodeInvalid, 0},
		{"hello with an empty client", `{"t":"hello","client":""}`, true, easel.CodeInvalid, 0},
		{"hello with a long client", `{"t":"hello","client":"` + strings.Repeat("x", 65) + `"}`, true, easel.CodeInvalid, 0},
		{"hello with a client of a wrong type", `{"t":"hello","client":7}`, true, easel.CodeBadRequest, 0},
		{"op", `{"t":"op","seq":1,"ops":[{"k":"del","id":"` + strings.Repeat("a", 32) + `"}]}`, true, "", 1},
		{"op with type last", `{"seq":4,"ops":[],"t":"op"}`, true, easel.CodeInvalid, 4},
		{"op with two seqs", `{"t":"op","seq":1,"seq":2,"ops":[]}`, true, easel.CodeBadRequest, 0},
		{"op with seq 0", `{"t":"op","seq":0,"ops":[]}`, true, easel.CodeInvalid, 0},
		{"presence", `{"t":"pres","state":{"cursor":[0.1,0.2],"own":{"x":1}}}`, true, "", 0},
		{"presence of a null state", `{"t":"pres","state":null}`, true, easel.CodeBadRequest, 0},
		{"presence with a duplicate key", `{"t":"pres","state":{"cursor":[1,2],"cursor":[1,2]}}`, true, easel.CodeBadRequest, 0},
		{"presence that selects no id", `{"t":"pres","state":{"selection":["x"]}}`, true, easel.CodeInvalid, 0},
		{"large presence", `{"t":"pres","state":{"draft":{"x":"` + strings.Repeat("x", 17<<10) + `"}}}`, true, easel.CodeTooLarge, 0},
		{"chat", `{"t":"chat","text":"hi"}`, true, "", 0},
		{"long chat", `{"t":"chat","text":"` + strings.Repeat("ä", 4001) + `"}`, true, easel.CodeInvalid, 0},
		{"auth without token", `{"t":"auth"}`, true, easel.CodeInvalid, 0},
		{"white space around", " {\"t\":\"ping\"}\n", true, "", 0},
		{"nothing", ``, false, "", 0},
		{"null", `null`, false, "", 0},
		{"byte order mark", "\ufeff{}", false, "", 0},
		{"deep", strings.Repeat(`{"t":`, 20000) + `1` + strings.Repeat(`}`, 20000), false, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, ok := live.Parse([]byte(tt.text))
			var code easel.Code
			var seq int64
			if in.Bad != nil {
				code = in.Bad.Code
			}
			if in.Op != nil {
				seq = in.Op.Seq
				if in.Op.Refused != nil {
					code = in.Op.Refused.Code
				}
			}
			if ok != tt.ok || code != tt.code || seq != tt.seq {
				t.Errorf("ok %t, code %q, seq %d (%+v)", ok, code, seq, in)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{"t":"hello","client":"c","since":{"epoch":"e","ver":3}}`, `{"t":"op","seq":1,"ops":[{"k":"del","id":"x"}]}`,
		`{"t":"pres","state":{"cursor":[1,2],"selection":[],"draft":{},"view":[]}}`, `{"t":"chat","text":"\ud800"}`,
		`{"t":"auth","token":"x"}`, `{"t":"ping"}`, `{"t":"ping","t":1}`, `[]`, "{\"\xff\":1}", `{"t":"op","seq":1e3}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		in, ok := live.Parse(text)
		if !ok {
			return
		}
		if !utf8.Valid(text) || !json.Valid(text) {
			t.Fatal("took what is not JSON")
		}
		if in.Type == "" && in.Bad == nil {
			t.Fatal("neither type nor fault")
		}
		if in.Op != nil && in.Op.Seq < 1 {
			t.Fatalf("seq %d", in.Op.Seq)
		}
		if in.Op != nil && in.Op.Hash == "" {
			t.Fatal("op without hash")
		}
		if in.Type == live.TypePresence && in.Bad == nil && !json.Valid(in.Presence) {
			t.Fatalf("state %q", in.Presence)
		}
	})
}
