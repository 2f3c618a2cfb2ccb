package tenant_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/tenant"
)

func names(r tenant.ImagesReply) []string {
	out := []string{}
	for _, m := range r.Images {
		out = append(out, m.Filename)
	}
	return out
}

func goneIDs(r tenant.ExpiredReply) []easel.ID {
	ids := []easel.ID{}
	for _, g := range r.Images {
		ids = append(ids, g.ID)
	}
	return ids
}

func TestImageIsListedOnceReady(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	m := w.image(easel.NewID(), "cat.png")
	m.Metadata = []byte(`{"camera":"a"}`)
	must[tenant.Empty](w, tenant.Reserve{ID: m.ID, By: annotator, Filename: "cat.png", Size: 7})
	must[tenant.Empty](w, tenant.Reserve{ID: m.ID, By: annotator, Filename: "cat.png", Size: 7})
	if got := must[tenant.ImagesReply](w, tenant.Images{}); len(got.Images) != 0 || got.Images == nil {
		t.Fatalf("a reserved image is listed: %v", got)
	}
	if got := w.used(); got.Images != 1 || got.Bytes != 7 {
		t.Fatalf("reserved: %+v", got)
	}
	must[tenant.Empty](w, tenant.Ready{Image: m})
	must[tenant.Empty](w, tenant.Ready{Image: m})
	got := must[tenant.ImagesReply](w, tenant.Images{})
	if diff := cmp.Diff([]easel.Image{m}, got.Images); diff != "" {
		t.Fatal(diff)
	}
	if got := w.used(); got.Images != 1 || got.Bytes != 10 {
		t.Fatalf("ready: %+v", got)
	}
	w.pass(100 * time.Hour)
	if got := must[tenant.ImagesReply](w, tenant.Images{}); len(got.Images) != 1 {
		t.Fatal("the reservation's alarm took a listed image")
	}
	w.refused(easel.CodeConflict, tenant.Reserve{ID: m.ID, By: annotator})
}

func TestReserveIsForAnnotators(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	w.refused(easel.CodeForbidden, tenant.Reserve{ID: easel.NewID(), By: viewer})
	w.refused(easel.CodeForbidden, tenant.Reserve{ID: easel.NewID(), By: tenant.Author{User: "x", Role: "king"}})
	w.refused(easel.CodeInvalid, tenant.Reserve{ID: "x", By: annotator})
	for _, by := range []tenant.Author{annotator, reviewer, admin, owner} {
		must[tenant.Empty](w, tenant.Reserve{ID: easel.NewID(), By: by})
	}
}

func TestHalfMadeImagesAreCleared(t *testing.T) {
	w := newWorld(t, tenant.Options{ReserveFor: time.Hour})
	var ids []easel.ID
	for range 3 {
		id := easel.NewID()
		ids = append(ids, id)
		must[tenant.Empty](w, tenant.Reserve{ID: id, By: annotator, Size: 5})
		w.pass(20 * time.Minute)
	}
	for id, doomed := range map[easel.ID]bool{ids[2]: true, easel.NewID(): false} {
		for range 2 {
			if got := must[tenant.Abandoned](w, tenant.Abandon{ID: id}); got.Doomed != doomed {
				t.Fatalf("abandon %s: %+v", id, got)
			}
		}
	}
	gone := func() []easel.ID { return goneIDs(must[tenant.ExpiredReply](w, tenant.Expired{Limit: 100})) }
	if diff := cmp.Diff(slices.Sorted(slices.Values([]easel.ID{ids[0], ids[2]})), gone()); diff != "" {
		t.Fatal(diff)
	}
	w.refused(easel.CodeGone, tenant.Ready{Image: w.image(ids[0], "late")})
	w.pass(time.Hour)
	all := slices.Sorted(slices.Values(ids)) // ids sort by time to the millisecond only
	if diff := cmp.Diff(all, gone()); diff != "" {
		t.Fatal(diff)
	}
	if got := w.used(); got != (tenant.Amounts{}) {
		t.Fatalf("used %+v", got)
	}
	for _, id := range ids {
		must[tenant.Empty](w, tenant.Purged{ID: id})
		must[tenant.Empty](w, tenant.Purged{ID: id})
	}
	if got := gone(); len(got) != 0 {
		t.Fatalf("still to purge: %v", got)
	}
	if got := w.used(); got != (tenant.Amounts{}) {
		t.Fatalf("used %+v", got)
	}
}

func TestImageQuota(t *testing.T) {
	w := newWorld(t, tenant.Options{MaxImages: 2, MaxBytes: 100})
	a, b := easel.NewID(), easel.NewID()
	must[tenant.Empty](w, tenant.Reserve{ID: a, By: annotator, Size: 60})
	if e := w.refused(easel.CodeRateLimited, tenant.Reserve{ID: b, By: annotator, Size: 50}); e.RetryAfter <= 0 {
		t.Fatal("no time to retry")
	}
	must[tenant.Empty](w, tenant.Reserve{ID: b, By: annotator})
	w.refused(easel.CodeRateLimited, tenant.Reserve{ID: easel.NewID(), By: annotator})
	big := w.image(b, "big")
	big.Size = 41
	w.refused(easel.CodeRateLimited, tenant.Ready{Image: big})
	big.Size = 40
	must[tenant.Empty](w, tenant.Ready{Image: big})
	reply := must[tenant.UsageReply](w, tenant.Usage{})
	if reply.Limits.Images != 2 || reply.Limits.Bytes != 100 || reply.Used.Bytes != 100 {
		t.Fatalf("%+v", reply)
	}
}

func TestImagesFilters(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	put := func(name, by, metadata string, labels map[string]int64) {
		m := w.list(name)
		m.UploadedBy = by
		m.Metadata = json.RawMessage(metadata)
		must[tenant.Empty](w, tenant.Sync{Image: m, Labels: labels, Seq: 1})
		w.pass(time.Second)
	}
	put("Straße.PNG", "anna", `{"state":"done","by":"anna"}`, map[string]int64{"car": 2})
	put("ÉCLAIR.jpg", "bob", `{"state":"in_progress"}`, map[string]int64{"cake": 1, "car": 0})
	put("e\u0301clair-2.jpg", "bob", `{"state":["done"]}`, nil)
	put("100%_cat.png", "anna", `{}`, map[string]int64{"car": 1, "Cat": 1})
	str := func(s string) *string { return &s }
	tests := []struct {
		name string
		ask  tenant.Images
		want []string
	}{
		{"everything", tenant.Images{}, []string{"100%_cat.png", "e\u0301clair-2.jpg", "ÉCLAIR.jpg", "Straße.PNG"}},
		{"by uploader", tenant.Images{UploadedBy: "bob"}, []string{"e\u0301clair-2.jpg", "ÉCLAIR.jpg"}},
		{"by unknown uploader", tenant.Images{UploadedBy: "eve"}, []string{}},
		{"by label", tenant.Images{Label: str("car")}, []string{"100%_cat.png", "Straße.PNG"}},
		{"labels keep their case", tenant.Images{Label: str("cat")}, []string{}},
		{"by name, any case", tenant.Images{Filename: str(".png")}, []string{"100%_cat.png", "Straße.PNG"}},
		{"by name, folded", tenant.Images{Filename: str("STRASSE")}, []string{"Straße.PNG"}},
		{"by name, composed or not", tenant.Images{Filename: str("éclair")}, []string{"e\u0301clair-2.jpg", "ÉCLAIR.jpg"}},
		{"by name, no pattern", tenant.Images{Filename: str("0%_C")}, []string{"100%_cat.png"}},
		{"by name, no wildcard", tenant.Images{Filename: str("s%e")}, []string{}},
		{"by empty name", tenant.Images{Filename: str(""), UploadedBy: "bob"}, []string{"e\u0301clair-2.jpg", "ÉCLAIR.jpg"}},
		{"done", tenant.Images{Progress: tenant.ProgressDone}, []string{"Straße.PNG"}},
		{"in progress", tenant.Images{Progress: tenant.ProgressOpen}, []string{"ÉCLAIR.jpg"}},
		{"new is what says nothing else", tenant.Images{Progress: tenant.ProgressNew}, []string{"100%_cat.png", "e\u0301clair-2.jpg"}},
		{"new of an uploader", tenant.Images{Progress: tenant.ProgressNew, UploadedBy: "bob"}, []string{"e\u0301clair-2.jpg"}},
		{"new with a label", tenant.Images{Progress: tenant.ProgressNew, Label: str("car")}, []string{"100%_cat.png"}},
		{"all filters", tenant.Images{Filename: str("str"), UploadedBy: "anna", Label: str("car"), Progress: tenant.ProgressDone}, []string{"Straße.PNG"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := must[tenant.ImagesReply](w, tt.ask)
			if diff := cmp.Diff(tt.want, names(got)); diff != "" || got.Next != "" {
				t.Fatal(diff, got.Next)
			}
			if tt.ask.Progress != "" {
				counts := must[tenant.ImageProgressReply](w, tenant.ImageProgress{UploadedBy: tt.ask.UploadedBy, Label: tt.ask.Label, Filename: tt.ask.Filename})
				counted := map[tenant.Progress]int64{tenant.ProgressNew: counts.New, tenant.ProgressOpen: counts.InProgress, tenant.ProgressDone: counts.Done}[tt.ask.Progress]
				if counted != int64(len(tt.want)) || counts.More {
					t.Fatalf("counted %+v", counts)
				}
			}
			// The same by pages of one.
			ask, pages := tt.ask, []string{}
			for ask.Limit = 1; ; {
				page := must[tenant.ImagesReply](w, ask)
				pages = append(pages, names(page)...)
				if ask.Cursor = page.Next; page.Next == "" {
					break
				}
			}
			if diff := cmp.Diff(tt.want, pages); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestImagesOfNoProgressThereIs(t *testing.T) {
	newWorld(t, tenant.Options{}).refused(easel.CodeInvalid, tenant.Images{Progress: "finished"})
}

func TestPagesAreStableWhileImagesCome(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	var want []string
	for i := range 25 { // several in the same millisecond
		name := fmt.Sprint(i)
		w.list(name)
		want = append([]string{name}, want...)
		if i%3 == 0 {
			w.pass(time.Millisecond)
		}
	}
	first := must[tenant.ImagesReply](w, tenant.Images{Limit: 1000})
	want = names(first) // ties are by id
	var got []string
	ask := tenant.Images{Limit: 4}
	for i := 0; ; i++ {
		page := must[tenant.ImagesReply](w, ask)
		got = append(got, names(page)...)
		if page.Next == "" {
			break
		}
		ask.Cursor = page.Next
		w.pass(time.Millisecond)
		w.list(fmt.Sprint("new", i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestCursorsAreOfTheirList(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	for i := range 3 {
		w.list(fmt.Sprint(i))
		must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: fmt.Sprint(i)})
	}
	kv := must[tenant.KVListReply](w, tenant.KVList{Limit: 1}).Next
	images := must[tenant.ImagesReply](w, tenant.Images{Limit: 1}).Next
	for _, cursor := range []string{kv, "!", "AAAA", images + "A", images[:len(images)-4]} {
		w.refused(easel.CodeInvalid, tenant.Images{Cursor: cursor})
	}
	w.refused(easel.CodeInvalid, tenant.KVList{Cursor: images})
	w.refused(easel.CodeInvalid, tenant.FileList{Cursor: kv})
	w.refused(easel.CodeInvalid, tenant.KeyList{By: admin, Cursor: images})
}

// TestRowShowsAtOnce: a row told by a request is listed before the outbox comes,
// which then brings the labels.
func TestRowShowsAtOnce(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	m := w.list("a")
	listed := func() []easel.Image { return must[tenant.ImagesReply](w, tenant.Images{}).Images }
	older := m
	m.Filename, older.Filename = "new", "older"
	must[tenant.Empty](w, tenant.Row{Image: m, Seq: 3})
	must[tenant.Empty](w, tenant.Row{Image: older, Seq: 2})
	must[tenant.Empty](w, tenant.Sync{Image: older, Labels: map[string]int64{"y": 1}, Seq: 2})
	if diff := cmp.Diff([]easel.Image{m}, listed()); diff != "" {
		t.Fatal(diff)
	}
	must[tenant.Empty](w, tenant.Sync{Image: m, Labels: map[string]int64{"x": 1}, Seq: 3})
	x := "x"
	if n := len(must[tenant.ImagesReply](w, tenant.Images{Label: &x}).Images); n != 1 {
		t.Errorf("label x: %d images", n)
	}
	m.DeletedAt = 1
	must[tenant.Empty](w, tenant.Row{Image: m, Seq: 4})
	if got := listed(); len(got) != 0 {
		t.Errorf("deleted, but listed: %v", got)
	}
	must[tenant.Empty](w, tenant.Row{Image: easel.Image{ID: easel.NewID()}, Seq: 1}) // unknown
}

func TestSyncFollowsTheImage(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	m := w.list("a")
	sender := actors.Ref{Node: "n1", Key: actors.Key{Kind: "image", ID: home + "/" + string(m.ID)}}
	m.AnnotationCount, m.Version, m.Width = 3, 2, 640
	if _, err := w.askFrom(sender, tenant.Sync{Image: m, Labels: map[string]int64{"x": 3}, Seq: 2}); err != nil {
		t.Fatal(err)
	}
	old := m
	old.AnnotationCount, old.Version = 1, 1
	must[tenant.Empty](w, tenant.Sync{Image: old, Labels: map[string]int64{"y": 1}, Seq: 1, ReplyTo: sender.Key})
	must[tenant.Empty](w, tenant.Sync{Image: m, Labels: map[string]int64{"x": 3}, Seq: 2, ReplyTo: sender.Key})
	got := must[tenant.ImagesReply](w, tenant.Images{}).Images
	if diff := cmp.Diff([]easel.Image{m}, got); diff != "" {
		t.Fatal(diff)
	}
	x, y := "x", "y"
	if n := len(must[tenant.ImagesReply](w, tenant.Images{Label: &x}).Images); n != 1 {
		t.Errorf("label x: %d images", n)
	}
	if n := len(must[tenant.ImagesReply](w, tenant.Images{Label: &y}).Images); n != 0 {
		t.Errorf("label y of an older sync: %d images", n)
	}
	want := []actors.Request{
		{To: sender.Key, Node: "n1", Message: tenant.Synced{Seq: 2}},
		{To: sender.Key, Message: tenant.Synced{Seq: 1}},
		{To: sender.Key, Message: tenant.Synced{Seq: 2}},
	}
	if diff := cmp.Diff(want, w.told); diff != "" {
		t.Fatal(diff)
	}
}

func TestSyncBeforeReadyWins(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	m := w.image(easel.NewID(), "a")
	must[tenant.Empty](w, tenant.Reserve{ID: m.ID, By: annotator})
	probed := m
	probed.Width, probed.Height = 640, 480
	must[tenant.Empty](w, tenant.Sync{Image: probed, Seq: 1})
	if n := len(must[tenant.ImagesReply](w, tenant.Images{}).Images); n != 0 {
		t.Fatal("a reserved image is listed by its own word")
	}
	must[tenant.Empty](w, tenant.Ready{Image: m})
	got := must[tenant.ImagesReply](w, tenant.Images{}).Images
	if diff := cmp.Diff([]easel.Image{probed}, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestDeletedImagesLeaveTheListAndExpire(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	m := w.list("a")
	stays := w.list("b")
	deleted := m
	w.pass(time.Second)
	deleted.DeletedAt = easel.At(w.now)
	must[tenant.Empty](w, tenant.Sync{Image: deleted, Seq: 1})
	if diff := cmp.Diff([]string{"b"}, names(must[tenant.ImagesReply](w, tenant.Images{}))); diff != "" {
		t.Fatal(diff)
	}
	expired := func(before time.Time) []easel.ID {
		return goneIDs(must[tenant.ExpiredReply](w, tenant.Expired{Before: easel.At(before), Limit: 10}))
	}
	if got := expired(w.now); len(got) != 0 {
		t.Fatalf("expired at once: %v", got)
	}
	if diff := cmp.Diff([]easel.ID{m.ID}, expired(w.now.Add(time.Millisecond))); diff != "" {
		t.Fatal(diff)
	}
	must[tenant.Empty](w, tenant.Sync{Image: m, Seq: 2})
	if got := expired(w.now.Add(time.Hour)); len(got) != 0 {
		t.Fatalf("a restored image expired: %v", got)
	}
	if n := len(must[tenant.ImagesReply](w, tenant.Images{}).Images); n != 2 {
		t.Fatalf("%d images after the restore", n)
	}
	w.refused(easel.CodeConflict, tenant.Purged{ID: m.ID})
	must[tenant.Empty](w, tenant.Sync{Image: deleted, Labels: map[string]int64{"x": 1}, Seq: 3})
	must[tenant.Empty](w, tenant.Purged{ID: m.ID})
	if got := w.used(); got.Images != 1 || got.Bytes != stays.Size {
		t.Fatalf("used %+v", got)
	}
	must[tenant.Empty](w, tenant.Sync{Image: m, Seq: 9})
	if n := len(must[tenant.ImagesReply](w, tenant.Images{}).Images); n != 1 {
		t.Fatal("a late sync brought a purged image back")
	}
}
