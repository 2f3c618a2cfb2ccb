package opcodec_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

const (
	id  = easel.ID("0123456789abcdef0123456789abcdef")
	box = `"annotation":{"label":"cat","x":0.1,"y":0.2,"width":0.3,"height":0.4}`
)

func ptr[T any](v T) *T { return &v }

func TestParseFrameReadsEveryOp(t *testing.T) {
	text := `{"t":"op","seq":58,"ops":[
		{"k":"put",` + box + `},
		{"annotation":{"confidence":0.5,"height":1,"width":1,"y":-0,"x":0e9,"label":"\u00e9\"<\ud83d\ude00"},"id":"` + string(id) + `","k":"put"},
		{"k":"put","annotation":{"label":"cat","x":0.1,"y":0.2,"width":0.3,"height":0.4,"confidence":null}},
		{"k":"patch","id":"` + string(id) + `","set":{"x":0.5,"label":"dog","confidence":null},"base":7},
		{"k":"patch","id":"` + string(id) + `","set":{"y":0,"width":0.1,"height":0.2,"confidence":1}},
		{"k":"del","id":"` + string(id) + `"},
		{"k":"del","id":"` + string(id) + `","base":1}]}`
	got, err := opcodec.ParseFrame([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	cat := easel.Draft{Label: "cat", X: 0.1, Y: 0.2, Width: 0.3, Height: 0.4}
	want := opcodec.Frame{Seq: 58, Hash: got.Hash, Ops: []easel.Op{
		{Kind: easel.OpPut, Draft: &cat},
		{Kind: easel.OpPut, ID: id, Draft: &easel.Draft{Label: "é\"<😀", Width: 1, Height: 1, Confidence: ptr(0.5)}},
		{Kind: easel.OpPut, Draft: &cat},
		{Kind: easel.OpPatch, ID: id, Base: 7, Set: &easel.Patch{X: ptr(0.5), Label: ptr("dog"), ClearConfidence: true}},
		{Kind: easel.OpPatch, ID: id, Set: &easel.Patch{Y: ptr(0.0), Width: ptr(0.1), Height: ptr(0.2), Confidence: ptr(1.0)}},
		{Kind: easel.OpDelete, ID: id},
		{Kind: easel.OpDelete, ID: id, Base: 1},
	}}
	if diff := cmp.Diff(want, got); diff != "" || got.Hash != opcodec.Hash(got.Ops) {
		t.Errorf("hash %q: %s", got.Hash, diff)
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	ops := func(s string) string { return `{"t":"op","seq":3,"ops":[` + s + `]}` }
	del := `{"k":"del","id":"` + string(id) + `"}`
	for _, tc := range []struct {
		name  string
		text  string
		code  easel.Code
		path  string // of the first detail
		known bool   // the seq can be used
	}{
		{"empty", ``, easel.CodeBadRequest, "", false},
		{"no JSON", `{"t":`, easel.CodeBadRequest, "", false},
		{"no object", `[]`, easel.CodeBadRequest, "the body", false},
		{"null", `null`, easel.CodeBadRequest, "the body", false},
		{"trailing bytes", ops(del) + `x`, easel.CodeBadRequest, "", false},
		{"trailing value", ops(del) + `{}`, easel.CodeBadRequest, "", false},
		{"duplicate seq", `{"t":"op","seq":3,"seq":3,"ops":[` + del + `]}`, easel.CodeBadRequest, "", false},
		{"duplicate key in an op", ops(`{"k":"del","k":"del","id":"` + string(id) + `"}`), easel.CodeBadRequest, "", true},
		{"duplicate key by escape", ops(`{"k":"del","\u006b":"del","id":"` + string(id) + `"}`), easel.CodeBadRequest, "", true},
		{"invalid UTF-8", ops(`{"k":"put","annotation":{"label":"` + "\xff" + `"}}`), easel.CodeBadRequest, "", true},
		{"half a surrogate", ops(`{"k":"put","annotation":{"label":"\ud800"}}`), easel.CodeBadRequest, "", true},
		{"unknown key", `{"t":"op","seq":3,"client":"x","ops":[` + del + `]}`, easel.CodeBadRequest, "client", true},
		{"unknown key in an op", ops(del + `,{"k":"del","color":1}`), easel.CodeBadRequest, "ops[1].color", true},
		{"unknown key in an annotation", ops(`{"k":"put","annotation":{"rev":1}}`), easel.CodeBadRequest, "ops[0].annotation.rev", true},
		{"unknown key in a set", ops(`{"k":"patch","id":"` + string(id) + `","set":{"id":"x"}}`), easel.CodeBadRequest, "ops[0].set.id", true},
		{"key of another op", ops(`{"k":"del","id":"` + string(id) + `",` + box + `}`), easel.CodeBadRequest, "ops[0].annotation", true},
		{"set in a put", ops(`{"set":{"x":1},"k":"put",` + box + `}`), easel.CodeBadRequest, "ops[0].set", true},
		{"base in a put", ops(`{"base":1,"k":"put",` + box + `}`), easel.CodeBadRequest, "ops[0].base", true},
		{"seq of a wrong type", `{"t":"op","seq":"3","ops":[` + del + `]}`, easel.CodeBadRequest, "seq", false},
		{"ops of a wrong type", `{"t":"op","seq":3,"ops":{}}`, easel.CodeBadRequest, "ops", true},
		{"op of a wrong type", ops(`7`), easel.CodeBadRequest, "ops[0]", true},
		{"label of a wrong type", ops(`{"k":"put","annotation":{"label":1}}`), easel.CodeBadRequest, "ops[0].annotation.label", true},
		{"x of a wrong type", ops(`{"k":"put","annotation":{"x":"1"}}`), easel.CodeBadRequest, "ops[0].annotation.x", true},
		{"x is null", ops(`{"k":"patch","id":"` + string(id) + `","set":{"x":null}}`), easel.CodeBadRequest, "ops[0].set.x", true},
		{"id is null", ops(`{"k":"put","id":null,` + box + `}`), easel.CodeBadRequest, "ops[0].id", true},
		{"confidence of a wrong type", ops(`{"k":"put","annotation":{"confidence":true}}`), easel.CodeBadRequest, "ops[0].annotation.confidence", true},
		{"base of a wrong type", ops(`{"k":"del","id":"` + string(id) + `","base":null}`), easel.CodeBadRequest, "ops[0].base", true},

		{"no seq", `{"t":"op","ops":[` + del + `]}`, easel.CodeInvalid, "seq", false},
		{"no ops", `{"t":"op","seq":3}`, easel.CodeInvalid, "ops", true},
		{"seq 0", `{"t":"op","seq":0,"ops":[` + del + `]}`, easel.CodeInvalid, "seq", false},
		{"seq -1", `{"t":"op","seq":-1,"ops":[` + del + `]}`, easel.CodeInvalid, "seq", false},
		{"seq 1.5", `{"t":"op","seq":1.5,"ops":[` + del + `]}`, easel.CodeInvalid, "seq", false},
		{"huge seq", `{"t":"op","seq":9007199254740992,"ops":[` + del + `]}`, easel.CodeInvalid, "seq", false},
		{"zero ops", ops(``), easel.CodeInvalid, "ops", true},
		{"501 ops", ops(strings.Repeat(del+",", 500) + del), easel.CodeInvalid, "ops", true},
		{"no kind", ops(`{"id":"` + string(id) + `"}`), easel.CodeInvalid, "ops[0].k", true},
		{"unknown kind", ops(`{"k":"fly"}`), easel.CodeInvalid, "ops[0].k", true},
		{"no annotation", ops(`{"k":"put"}`), easel.CodeInvalid, "ops[0].annotation", true},
		{"no set", ops(`{"k":"patch","id":"` + string(id) + `"}`), easel.CodeInvalid, "ops[0].set", true},
		{"empty set", ops(`{"k":"patch","id":"` + string(id) + `","set":{}}`), easel.CodeInvalid, "ops[0].set", true},
		{"no id", ops(`{"k":"del"}`), easel.CodeInvalid, "ops[0].id", true},
		{"bad id", ops(del + `,{"k":"del","id":"ABC"}`), easel.CodeInvalid, "ops[1].id", true},
		{"base 0", ops(`{"k":"del","id":"` + string(id) + `","base":0}`), easel.CodeInvalid, "ops[0].base", true},
		{"missing field", ops(`{"k":"put","annotation":{"label":"a","x":0,"y":0,"width":1}}`), easel.CodeInvalid, "ops[0].annotation.height", true},
		{"empty label", ops(`{"k":"put","annotation":{"label":"","x":0,"y":0,"width":1,"height":1}}`), easel.CodeInvalid, "ops[0].annotation.label", true},
		{"number that no float holds", ops(`{"k":"put","annotation":{"label":"a","x":1e999,"y":0,"width":1,"height":1}}`), easel.CodeInvalid, "ops[0].annotation.x", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := opcodec.ParseFrame([]byte(tc.text))
			var e *easel.Error
			if !errors.As(err, &e) || e.Code != tc.code {
				t.Fatalf("got %v, want %s", err, tc.code)
			}
			if tc.path != "" && (len(e.Details) == 0 || e.Details[0].Path != tc.path) {
				t.Errorf("details %v, want %q first", e.Details, tc.path)
			}
			if known := f.Seq == 3 && f.Hash != ""; known != tc.known || !known && f.Seq != 0 {
				t.Errorf("frame %+v, usable %v", f, tc.known)
			}
		})
	}
}

func TestEveryBrokenRuleIsTold(t *testing.T) {
	_, err := opcodec.ParseFrame([]byte(`{"t":"op","seq":1,"ops":[{"k":"put","annotation":{"label":"","x":2,"y":0,"width":1,"height":1}},{"k":"del"}]}`))
	var e *easel.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	var paths []string
	for _, d := range e.Details {
		paths = append(paths, d.Path)
	}
	if diff := cmp.Diff([]string{"ops[0].annotation.label", "ops[0].annotation.x", "ops[1].id"}, paths); diff != "" {
		t.Error(diff)
	}
}

func TestParseBodyNeedsItsClient(t *testing.T) {
	rest := `"seq":1,"ops":[{"k":"put",` + box + `}]`
	f, err := opcodec.ParseBody([]byte(`{"client":"tab",` + rest + `}`))
	if err != nil || f.Client != "tab" || f.Seq != 1 || len(f.Ops) != 1 {
		t.Errorf("got %+v, %v", f, err)
	}
	for text, code := range map[string]easel.Code{
		`{` + rest + `}`:             easel.CodeInvalid,
		`{"client":"",` + rest + `}`: easel.CodeInvalid,
		`{"client":"` + strings.Repeat("a", 65) + `",` + rest + `}`: easel.CodeInvalid,
		`{"client":7,` + rest + `}`:                                 easel.CodeBadRequest,
		`{"t":"op","client":"tab",` + rest + `}`:                    easel.CodeBadRequest,
	} {
		if f, err := opcodec.ParseBody([]byte(text)); easel.CodeOf(err) != code {
			t.Errorf("%s: got %+v, %v", text, f, err)
		}
	}
	if f, err := opcodec.ParseBody([]byte(`{"client":"tab","seq":4,"ops":[]}`)); err == nil || f.Client != "tab" || f.Seq != 4 {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestHashIsOfTheMeaning(t *testing.T) {
	parse := func(text string) string {
		f, _ := opcodec.ParseFrame([]byte(text))
		return f.Hash
	}
	a := parse(`{"t":"op","seq":1,"ops":[{"k":"put",` + box + `}]}`)
	if b := parse(`{"ops":[{"annotation":{"x":1e-1,"y":0.20,"label":"c\u0061t","width":0.3, "height":0.4},"k":"put"}],"seq":1,"t":"op"}`); a != b {
		t.Error("another spelling has another hash")
	}
	seen := map[string]string{}
	for _, ops := range []string{
		`{"k":"put",` + box + `}`, `{"k":"put",` + box + `},{"k":"put",` + box + `}`,
		`{"k":"put","id":"` + string(id) + `",` + box + `}`,
		`{"k":"put","annotation":{"label":"cat","x":0.1,"y":0.2,"width":0.3,"height":0.4,"confidence":0}}`,
		`{"k":"del","id":"` + string(id) + `"}`, `{"k":"del","id":"` + string(id) + `","base":1}`,
		`{"k":"patch","id":"` + string(id) + `","set":{"x":0.1}}`, `{"k":"patch","id":"` + string(id) + `","set":{"y":0.1}}`,
		`{"k":"patch","id":"` + string(id) + `","set":{"confidence":null}}`, `{"k":"patch","id":"` + string(id) + `","set":{"label":"x"}}`,
		`{"k":"bad"}`, `{"k":"worse"}`, `7`,
	} {
		h := parse(`{"t":"op","seq":1,"ops":[` + ops + `]}`)
		if other, dup := seen[h]; dup || h == "" {
			t.Errorf("%s and %s have the hash %q", ops, other, h)
		}
		seen[h] = ops
	}
}

func TestParsePatchNamesItsOwnFields(t *testing.T) {
	p, err := opcodec.ParsePatch([]byte(`{"label":"dog","confidence":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(easel.Patch{Label: ptr("dog"), ClearConfidence: true}, p); diff != "" {
		t.Error(diff)
	}
	for text, code := range map[string]easel.Code{
		`{}`: easel.CodeInvalid, `[]`: easel.CodeBadRequest, `{"x":1}{}`: easel.CodeBadRequest, `{"rev":1}`: easel.CodeBadRequest,
	} {
		if _, err := opcodec.ParsePatch([]byte(text)); easel.CodeOf(err) != code {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzParseFrame checks that nothing panics, that what is taken is valid JSON
// with valid drafts, and that a repeat has the same hash.
func FuzzParseFrame(f *testing.F) {
	f.Add([]byte(`{"t":"op","seq":58,"ops":[{"k":"put",` + box + `},{"k":"del","id":"` + string(id) + `","base":3}]}`))
	f.Add([]byte(`{"client":"tab","seq":1,"ops":[{"k":"patch","id":"` + string(id) + `","set":{"x":0.5,"confidence":null}}]}`))
	f.Add([]byte(`{"t":"op","seq":1,"ops":[{"k":"put","annotation":{"label":"\ud83d\ude00\u0000","x":1e-400,"y":-0.0,"width":1,"height":1}}]}`))
	f.Add([]byte(`{"t":"op","seq":1,"seq":2,"ops":7}`))
	for _, s := range shapes {
		f.Add([]byte(`{"t":"op","seq":1,"ops":[{"k":"put","annotation":{"label":"a","shape":` + s.text + `,"attributes":{"a":1,"b":"x"},"source":"model","model":"m"}}]}`))
		f.Add([]byte(`{"t":"op","seq":1,"ops":[{"k":"patch","id":"` + string(id) + `","set":{"shape":` + s.text + `,"x":0,"attributes":{"a":null}}}]}`))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, parse := range []func([]byte) (opcodec.Frame, error){opcodec.ParseFrame, opcodec.ParseBody} {
			got, err := parse(b)
			again, _ := parse(b)
			if diff := cmp.Diff(got, again); diff != "" {
				t.Fatal(diff)
			}
			if err != nil {
				if code := easel.CodeOf(err); code != easel.CodeBadRequest && code != easel.CodeInvalid {
					t.Fatalf("code %s", code)
				}
				if got.Seq == 0 && got.Hash != "" || got.Seq != 0 && got.Hash == "" || got.Ops != nil {
					t.Fatalf("half a frame: %+v", got)
				}
				continue
			}
			if !json.Valid(b) || got.Seq < 1 || len(got.Ops) < 1 || len(got.Ops) > easel.MaxOps {
				t.Fatalf("took %q as %+v", b, got)
			}
			for _, op := range got.Ops {
				if op.Draft != nil && len(op.Draft.Validate("")) > 0 || op.ID != "" && !op.ID.Valid() {
					t.Fatalf("took %+v", op)
				}
			}
		}
	})
}

func BenchmarkParseFrame(b *testing.B) {
	text := []byte(`{"t":"op","seq":58,"ops":[{"k":"put","id":"` + string(id) + `",` + box + `}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := opcodec.ParseFrame(text); err != nil {
			b.Fatal(err)
		}
	}
}
