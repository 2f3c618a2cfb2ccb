package opcodec_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

func TestParseAttributesWritesThemInOneWay(t *testing.T) {
	for text, want := range map[string]string{
		`null`: ``, `{}`: ``,
		`{ "b" : true, "a" : 1.50 , "c":"x" }`:  `{"a":1.5,"b":true,"c":"x"}`,
		`{"n":-0.0,"e":1E3,"u":"\u00e9\u2028"}`: `{"e":1000,"n":0,"u":"é\u2028"}`,
		`{"<":"&>","\"":"\\"}`:                  `{"\"":"\\","\u003c":"\u0026\u003e"}`,
	} {
		got, err := opcodec.ParseAttributes([]byte(text), "attributes")
		if err != nil || string(got) != want {
			t.Errorf("%s is %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestAttributesThatAreNone(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		code       easel.Code
		path       string
	}{
		{"no object", `[]`, easel.CodeBadRequest, "attributes"},
		{"nested", `{"a":{}}`, easel.CodeBadRequest, "attributes.a"},
		{"null", `{"a":null}`, easel.CodeBadRequest, "attributes.a"},
		{"twice", `{"a":1,"\u0061":2}`, easel.CodeBadRequest, ""},
		{"no UTF-8", "{\"a\":\"\xff\"}", easel.CodeBadRequest, ""},
		{"no name", `{"":1}`, easel.CodeInvalid, "attributes"},
		{"long name", `{"` + strings.Repeat("é", 65) + `":1}`, easel.CodeInvalid, "attributes." + strings.Repeat("é", 50) + "…"},
		{"long text", `{"a":"` + strings.Repeat("é", 1001) + `"}`, easel.CodeInvalid, "attributes.a"},
		{"huge number", `{"a":1e999}`, easel.CodeInvalid, "attributes.a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := opcodec.ParseAttributes([]byte(tt.text), "attributes")
			e, _ := err.(*easel.Error) //nolint:errorlint // opcodec does not wrap
			if e == nil || e.Code != tt.code || tt.path != "" && e.Details[0].Path != tt.path {
				t.Errorf("got %+v, want %s at %s", e, tt.code, tt.path)
			}
		})
	}
}

func TestAttributesAreBoundedTogether(t *testing.T) {
	many := map[string]easel.Value{}
	for i := range easel.MaxAttributes {
		many[fmt.Sprint("name ", i)] = easel.Number(float64(i))
	}
	d := easel.Draft{Label: "a", Width: 1, Height: 1, Attributes: opcodec.Attributes(many)}
	if broken := d.Validate(""); len(broken) > 0 {
		t.Error(broken)
	}
	many["one more"] = easel.Bool(true)
	d.Attributes = opcodec.Attributes(many)
	if broken := d.Validate("annotation."); len(broken) != 1 || broken[0].Path != "annotation.attributes" {
		t.Errorf("65 names: %v", broken)
	}
	clear(many)
	for i := range 17 {
		many[fmt.Sprint(i)] = easel.Text(strings.Repeat("x", 1000))
	}
	d.Attributes = opcodec.Attributes(many)
	if broken := d.Validate(""); len(broken) != 1 {
		t.Errorf("17 KB: %v", broken)
	}
}

// someValues draws attributes whose names meet, and are hard to spell.
func someValues(nulls bool) *rapid.Generator[map[string]easel.Value] {
	names := rapid.SampledFrom([]string{"a", "b", "a\"", "a\\", "<", "é", "\u2028", "a,b", "}", ":", "\n", "a b"})
	return rapid.MapOfN(names, rapid.Custom(func(t *rapid.T) easel.Value {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return easel.Text(rapid.SampledFrom([]string{"", "x", `"`, `\`, `\"`, ",", "}", "<&>", "null", "é\u2028"}).Draw(t, "text"))
		case 1:
			return easel.Number(rapid.Float64().Draw(t, "number"))
		case 2:
			if nulls {
				return easel.Value{}
			}
		}
		return easel.Bool(rapid.Bool().Draw(t, "flag"))
	}), 0, 8)
}

// TestEachAttributeIsARegister compares Set with what it means for a map.
func TestEachAttributeIsARegister(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values, change := someValues(false).Draw(t, "values"), someValues(true).Draw(t, "change")
		a, set := opcodec.Attributes(values), opcodec.Attributes(change)
		if a.Len() != len(values) || set.Len() != len(change) {
			t.Fatalf("%s has %d names, %s has %d", a, a.Len(), set, set.Len())
		}
		want := maps.Clone(values)
		maps.Copy(want, change)
		maps.DeleteFunc(want, func(_ string, v easel.Value) bool { return v == easel.Value{} })
		got := a.Set(set)
		if got != opcodec.Attributes(want) {
			t.Fatalf("%s set to %s is %s, want %s", a, set, got, opcodec.Attributes(want))
		}
		back, err := opcodec.Values(got)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, back, cmp.Comparer(func(a, b easel.Value) bool { return a == b })); diff != "" {
			t.Fatal(diff)
		}
		// encoding/json copies the text as it is, and what is read of it is the same.
		b, err := json.Marshal(struct{ A easel.Attributes }{got})
		if err != nil {
			t.Fatal(err)
		}
		var copied struct{ A easel.Attributes }
		if err := json.Unmarshal(b, &copied); err != nil || copied.A != got {
			t.Fatalf("%s came back as %s, %v", got, copied.A, err)
		}
		if read, err := opcodec.ParseAttributes([]byte(got), ""); got != "" && (err != nil || read != got) {
			t.Fatalf("%s is read as %s, %v", got, read, err)
		}
	})
}

func FuzzParseAttributes(f *testing.F) {
	f.Add([]byte(`{"b":true,"a\"\\":-1.50,"<":"x\u2028"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := opcodec.ParseAttributes(b, "attributes")
		if err != nil {
			if code := easel.CodeOf(err); code != easel.CodeBadRequest && code != easel.CodeInvalid {
				t.Fatalf("code %s", code)
			}
			return
		}
		if a == "" {
			return
		}
		if again, err := opcodec.ParseAttributes([]byte(a), ""); err != nil || again != a || a.Set(a) != a {
			t.Fatalf("%q is read as %s, which is read as %s, %v", b, a, again, err)
		}
		if values, err := opcodec.Values(a); err != nil || len(values) != a.Len() || opcodec.Attributes(values) != a {
			t.Fatalf("%s has the values %v, %v", a, values, err)
		}
	})
}
