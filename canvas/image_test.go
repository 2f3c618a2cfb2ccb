package canvas_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/tenant"
)

func TestOnlyBirthMakesAnImage(t *testing.T) {
	w := unborn(t, canvas.Options{})
	for _, m := range []actors.Message{
		canvas.Look{}, write(ann, put("", "a")), canvas.Purge{}, canvas.SoftDelete{By: ann}, canvas.Decide{Bulk: bulk, Commit: true},
	} {
		w.fails(m, easel.CodeNotFound)
	}
	w.must(canvas.Probed{Width: 1, Height: 1})
	w.must(canvas.Synced{Seq: 1})
	bad := birth
	bad.Image.ID = "nonsense"
	w.fails(bad, easel.CodeInvalid)

	m := birth
	m.Image.Width, m.Image.Version, m.Image.AnnotationCount, m.Image.DeletedAt = 7, 8, 9, 10
	first := w.must(m).(canvas.ImageReply)
	want := birth.Image
	want.Metadata = json.RawMessage(`{}`)
	if diff := cmp.Diff(want, first.Image); diff != "" || len(first.Epoch) != 32 || first.Ver != 0 {
		t.Errorf("epoch %q, ver %d: %s", first.Epoch, first.Ver, diff)
	}
	w.restart()
	if diff := cmp.Diff(first, w.must(birth)); diff != "" {
		t.Errorf("a repeat differs: %s", diff)
	}
	other := birth
	other.Image.ID = id(7)
	w.fails(other, easel.CodeConflict)
}

func TestABirthThatKnowsTheDimensionsNeedsNoJob(t *testing.T) {
	o := canvas.Options{
		Probe:    func(context.Context, easel.TenantID, easel.ID) (int, int, error) { return 1, 1, nil },
		Tile:     func(context.Context, easel.TenantID, easel.ID) error { return nil },
		TileOver: 2000,
	}
	for _, tc := range []struct {
		width, height int
		alarms        string
	}{{640, 480, "map[]"}, {3000, 480, "map[tiles:" + epoch.String() + "]"}, {0, 0, "map[probe:" + epoch.String() + "]"}} {
		w := unborn(t, o)
		m := birth
		m.Width, m.Height = tc.width, tc.height
		got := w.must(m).(canvas.ImageReply).Image
		w.restart()
		if again := w.must(canvas.Look{}).(canvas.ImageReply).Image; got.Width != tc.width || got.Height != tc.height || again.Width != tc.width {
			t.Errorf("%d x %d are %d x %d, then %d", tc.width, tc.height, got.Width, got.Height, again.Width)
		}
		if alarms := fmt.Sprint(w.alarms); alarms != tc.alarms {
			t.Errorf("%d x %d: alarms %s, want %s", tc.width, tc.height, alarms, tc.alarms)
		}
	}
	w := unborn(t, o)
	half := birth
	half.Width = 5
	w.fails(half, easel.CodeInvalid)
}

func TestRightsOnTheImage(t *testing.T) {
	annViewer := ann
	annViewer.Role = easel.Viewer
	for _, tc := range []struct {
		name string
		by   canvas.Author
		ok   bool
	}{
		{"its uploader", ann, true},
		{"another annotator", bob, false},
		{"a reviewer", canvas.Author{User: "rita", Role: easel.Reviewer}, false},
		{"an admin", adam, true},
		{"an owner", canvas.Author{User: "olga", Role: easel.Owner}, true},
		{"its uploader as a viewer", annViewer, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := born(t, canvas.Options{})
			for _, m := range []actors.Message{
				canvas.Amend{By: tc.by, Filename: ptr("dog.png")}, canvas.SoftDelete{By: tc.by}, canvas.Restore{By: tc.by},
			} {
				if tc.ok {
					w.must(m)
				} else {
					w.fails(m, easel.CodeForbidden)
				}
			}
		})
	}
}

func TestAmendChangesTheRowAndTellsEveryone(t *testing.T) {
	w := born(t, canvas.Options{})
	got := w.must(canvas.Amend{By: ann, Filename: ptr("dög.png"), Metadata: json.RawMessage(` {"a": [1, 2]} `)}).(canvas.ImageReply)
	if got.Image.Filename != "dög.png" || string(got.Image.Metadata) != `{"a":[1,2]}` || got.Ver != 0 {
		t.Errorf("got %+v", got)
	}
	w.restart()
	if diff := cmp.Diff(got, w.must(canvas.Look{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]actors.Message{canvas.ImageChanged{Image: got.Image}}, w.take()); diff != "" {
		t.Error(diff)
	}
	w.must(canvas.Amend{By: ann, Filename: ptr("dög.png")})
	if n := len(w.take()); n != 0 {
		t.Errorf("published %d for no change", n)
	}
	for _, m := range []canvas.Amend{
		{Filename: ptr("")},
		{Filename: ptr(strings.Repeat("a", 256))},
		{Filename: ptr("a/b")},
		{Filename: ptr("a\\b")},
		{Filename: ptr("..")},
		{Filename: ptr("a\x00")},
		{Filename: ptr("\xff")},
		{Metadata: json.RawMessage(`[]`)},
		{Metadata: json.RawMessage(`{`)},
		{Metadata: json.RawMessage(`null`)},
		{Metadata: json.RawMessage(``)},
		{Metadata: json.RawMessage(`{"a":"` + strings.Repeat("x", canvas.MaxMetadata) + `"}`)},
	} {
		m.By = ann
		w.fails(m, easel.CodeInvalid)
	}
}

func TestASoftDeletedImageIsGoneUntilRestored(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(1), "a")))
	w.must(canvas.SoftDelete{By: ann})
	w.must(canvas.SoftDelete{By: adam})
	if n := len(w.take()); n != 2 { // the batch, and one change of the row
		t.Errorf("published %d", n)
	}
	w.restart()
	for _, m := range []actors.Message{
		canvas.Look{},
		canvas.Amend{By: ann, Filename: ptr("x")},
		write(ann, put("", "a")),
		canvas.Hello{By: ann, Client: "tab", Conn: "c"},
		canvas.List{},
		canvas.One{ID: id(1)},
		canvas.Log{},
		canvas.Page{},
		canvas.Say{By: ann, Text: "x"},
		canvas.Messages{},
		prepare(id(2)),
	} {
		w.fails(m, easel.CodeGone)
	}
	if got := w.must(canvas.Look{Deleted: true}).(canvas.ImageReply); got.Image.DeletedAt != easel.At(epoch) {
		t.Errorf("got %+v", got)
	}
	for range 2 {
		if got := w.must(canvas.Restore{By: ann}).(canvas.ImageReply); got.Image.DeletedAt != 0 || got.Image.AnnotationCount != 1 {
			t.Errorf("got %+v", got)
		}
	}
	w.must(canvas.One{ID: id(1)})
}

func TestAnImageDeletedLongAgoIsNotRestored(t *testing.T) {
	for _, tt := range []struct {
		name            string
		retention, kept time.Duration
	}{
		{"as configured", time.Hour, time.Hour},
		{"by default", 0, 30 * 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := born(t, canvas.Options{Retention: tt.retention})
			w.must(canvas.SoftDelete{By: ann})
			w.now = epoch.Add(tt.kept - time.Millisecond)
			w.must(canvas.Restore{By: ann})
			w.must(canvas.SoftDelete{By: ann})
			w.now = w.now.Add(tt.kept)
			w.fails(canvas.Restore{By: adam}, easel.CodeGone)
			w.fails(canvas.Restore{By: bob}, easel.CodeForbidden)
			w.must(canvas.SoftDelete{By: ann}) // a repeat still is one
		})
	}
}

func TestTheDimensionJobRunsUntilItHasAResult(t *testing.T) {
	type result struct {
		width, height int
		err           error
	}
	temporary := errors.New("disk on fire")
	corrupt := easel.Errorf(easel.CodeInvalid, "not an image")
	for _, tc := range []struct {
		name          string
		results       []result
		width, height int
		published     int
	}{
		{"at once", []result{{640, 480, nil}}, 640, 480, 1},
		{"after failures", []result{{err: temporary}, {err: easel.Errorf(easel.CodeUnavailable, "later")}, {640, 480, nil}}, 640, 480, 1},
		{"never", []result{{err: temporary}, {err: corrupt}}, 0, 0, 0},
		{"nonsense", []result{{0, 5, nil}}, 0, 0, 0},
	} {
		for _, crash := range []bool{false, true} {
			t.Run(tc.name, func(t *testing.T) {
				tries := 0
				w := born(t, canvas.Options{Probe: func(_ context.Context, owns easel.TenantID, id easel.ID) (int, int, error) {
					if owns != owner || id != image {
						t.Errorf("probe of %s/%s", owns, id)
					}
					r := tc.results[tries]
					tries++
					return r.width, r.height, r.err
				}})
				last := time.Duration(0)
				for range tc.results {
					due, ok := w.alarms["probe"]
					if !ok {
						t.Fatal("no alarm")
					}
					if gap := due.Sub(w.now); gap < last {
						t.Errorf("gap %v after %v", gap, last)
					} else if !crash {
						last = gap
					}
					w.fire(due)
					if crash { // and the job's answer is lost
						w.jobs = nil
						w.restart()
						w.fire(w.alarms["probe"])
					}
					w.finish()
				}
				if due, ok := w.alarms["probe"]; ok {
					t.Errorf("the alarm is still set, for %v", due)
				}
				published := w.take()
				got := w.must(canvas.Look{}).(canvas.ImageReply).Image
				if got.Width != tc.width || got.Height != tc.height || len(published) != tc.published {
					t.Errorf("%d x %d, %d published", got.Width, got.Height, len(published))
				}
				w.restart()
				w.must(canvas.Probed{Width: 1, Height: 1}) // late
				if got := w.must(canvas.Look{}).(canvas.ImageReply).Image; got.Width != tc.width {
					t.Errorf("a late result was taken: %d", got.Width)
				}
			})
		}
	}
}

func TestTheTenantIsToldUntilItConfirms(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(write(ann, put(id(1), "a"), put(id(2), "b")))
	w.must(write(ann, put(id(3), "a"), del(id(2))))
	due := w.alarms["outbox"]
	if wait := due.Sub(epoch); wait < 200*time.Millisecond || wait > 500*time.Millisecond {
		t.Errorf("told after %v", wait)
	}
	w.fire(due)
	sync := func() tenant.Sync {
		t.Helper()
		if len(w.told) != 1 || w.told[0].To != tenant.Key(owner) {
			t.Fatalf("told %+v", w.told)
		}
		m := w.told[0].Message.(tenant.Sync)
		w.told = nil
		return m
	}
	first := sync()
	if diff := cmp.Diff(map[string]int64{"a": 2}, first.Labels); diff != "" || first.Image.AnnotationCount != 2 || first.Image.Version != 2 {
		t.Errorf("image %+v, labels: %s", first.Image, diff)
	}
	if first.ReplyTo != canvas.Key(owner, image) {
		t.Errorf("reply to %v", first.ReplyTo)
	}

	// Not confirmed: told again, also after a crash, ever less often.
	w.restart()
	w.fire(w.alarms["outbox"])
	again := sync()
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}

	// A change meanwhile is told soon, and the old receipt does not stop it.
	w.must(write(ann, relabel(id(1), "c")))
	if wait := w.alarms["outbox"].Sub(w.now); wait > 500*time.Millisecond {
		t.Errorf("told after %v", wait)
	}
	w.must(tenant.Synced{Seq: first.Seq})
	w.fire(w.alarms["outbox"])
	second := sync()
	if diff := cmp.Diff(map[string]int64{"a": 1, "c": 1}, second.Labels); diff != "" || second.Seq <= first.Seq {
		t.Errorf("seq %d after %d, labels: %s", second.Seq, first.Seq, diff)
	}
	w.must(canvas.Synced{Seq: second.Seq})
	if due, ok := w.alarms["outbox"]; ok {
		t.Errorf("the alarm is still set, for %v", due)
	}

	// Changes of the row are told too.
	w.must(canvas.SoftDelete{By: ann})
	w.fire(w.alarms["outbox"])
	if third := sync(); third.Seq <= second.Seq || third.Image.DeletedAt == 0 {
		t.Errorf("got %+v", third)
	}
}

func TestChatIsStoredInOrder(t *testing.T) {
	w := born(t, canvas.Options{})
	if got := w.must(canvas.Messages{}).(canvas.MessagesReply); got.Messages == nil || len(got.Messages) != 0 {
		t.Errorf("got %+v", got)
	}
	var said []easel.Message
	for i := range 103 {
		w.now = w.now.Add(time.Duration(i%2) * time.Millisecond)
		said = append(said, w.must(canvas.Say{By: bob, Text: strings.Repeat("é", i+1)}).(canvas.Said).Message)
	}
	if published := w.take(); len(published) != 103 || published[102].(canvas.Chatted).Message != said[102] {
		t.Errorf("published %d", len(published))
	}
	w.restart()
	got := w.must(canvas.Messages{}).(canvas.MessagesReply).Messages
	if len(got) != 100 || got[0] != said[102] || got[99] != said[3] {
		t.Errorf("got %d messages", len(got))
	}
	if got := w.must(canvas.Messages{After: said[100].ID}).(canvas.MessagesReply).Messages; len(got) != 2 || got[1] != said[101] {
		t.Errorf("got %+v", got)
	}
	if got := w.must(canvas.Hello{By: ann, Client: "tab", Conn: "c"}).(canvas.HelloReply); got.LastMessage != said[102].ID {
		t.Errorf("last message %s", got.LastMessage)
	}
	if got := w.must(canvas.Look{}).(canvas.ImageReply); got.Ver != 0 {
		t.Errorf("chat made version %d", got.Ver)
	}
	w.fails(canvas.Say{By: vera, Text: "hi"}, easel.CodeForbidden)
	for _, text := range []string{"", strings.Repeat("é", 4001), "\xff"} {
		w.fails(canvas.Say{By: ann, Text: text}, easel.CodeInvalid)
	}
}
