package easel_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/easelhq/easel"
)

// anyDraft draws from few values, so that registers are often equal.
func anyDraft() *rapid.Generator[easel.Draft] {
	one, half := 1.0, 0.5
	return rapid.Custom(func(t *rapid.T) easel.Draft {
		d := easel.Draft{
			Label:      rapid.SampledFrom([]string{"a", "b"}).Draw(t, "label"),
			X:          rapid.SampledFrom([]float64{0, 0.25}).Draw(t, "x"),
			Width:      0.5,
			Height:     rapid.SampledFrom([]float64{0.1, 0.2}).Draw(t, "height"),
			Confidence: rapid.SampledFrom([]*float64{nil, &one, &half}).Draw(t, "confidence"),
			Source:     rapid.SampledFrom([]string{"", easel.SourceModel}).Draw(t, "source"),
			Shape:      rapid.SampledFrom([]easel.Shape{"", `{"type":"tag"}`}).Draw(t, "shape"),
		}
		var members []string
		for _, name := range []string{`"a"`, `"b"`, `"c,\""`} {
			if v := rapid.SampledFrom([]string{"", "1", `"x,y"`, "true"}).Draw(t, name); v != "" {
				members = append(members, name+":"+v)
			}
		}
		d.Attributes = easel.AttributesOf(members)
		return d
	})
}

// TestUndoAndFollowAreByRegister checks what must hold of any drafts.
func TestUndoAndFollowAreByRegister(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, now := anyDraft().Draw(t, "a"), anyDraft().Draw(t, "b"), anyDraft().Draw(t, "now")
		for _, law := range []struct {
			name      string
			got, want easel.Draft
		}{
			{"what still is as it was made is all undone", b.Undo(b, a), a},
			{"nothing done is nothing undone", now.Undo(a, a), now},
			{"a second undo changes nothing", now.Undo(b, a).Undo(b, a).Undo(b, a), now.Undo(b, a).Undo(b, a)},
			{"who follows from the start arrives", a.Follow(a, b), b},
			{"nothing to follow", now.Follow(a, a), now},
			{"following is idempotent", now.Follow(a, b).Follow(a, b), now.Follow(a, b)},
		} {
			if !law.got.Equal(law.want) {
				t.Fatalf("%s: got %+v, want %+v", law.name, law.got, law.want)
			}
		}
		// Another's register stays, and is followed alone.
		mine := b
		mine.Label = "mine"
		if got := mine.Undo(b, a); got.Label != "mine" {
			t.Fatalf("undo took %+v", got)
		}
		if got := a.Follow(b, mine); got.Label != "mine" || got.X != a.X || got.Attributes != a.Attributes || got.Shape != a.Shape {
			t.Fatalf("followed to %+v from %+v", got, a)
		}
	})
}

func TestUndoOfAttributes(t *testing.T) {
	for _, tc := range []struct {
		name               string
		now, from, to, got easel.Attributes
	}{
		{"set", `{"a":2}`, `{"a":2}`, `{"a":1}`, `{"a":1}`},
		{"added", `{"a":1,"b":2}`, `{"a":1,"b":2}`, `{"a":1}`, `{"a":1}`},
		{"removed", `{"a":1}`, `{"a":1}`, `{"a":1,"b":2}`, `{"a":1,"b":2}`},
		{"another's name", `{"a":2,"z":9}`, `{"a":2}`, `{"a":1}`, `{"a":1,"z":9}`},
		{"another's value", `{"a":3}`, `{"a":2}`, `{"a":1}`, `{"a":3}`},
		{"added, then set by another", `{"b":3}`, `{"b":2}`, ``, `{"b":3}`},
		{"removed, then added by another", `{"b":3}`, ``, `{"b":2}`, `{"b":3}`},
		{"the last", `{"a":1}`, `{"a":1}`, ``, ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			draft := func(a easel.Attributes) easel.Draft { return easel.Draft{Attributes: a} }
			if got := draft(tc.now).Undo(draft(tc.from), draft(tc.to)); got.Attributes != tc.got {
				t.Errorf("got %s, want %s", got.Attributes, tc.got)
			}
		})
	}
}
