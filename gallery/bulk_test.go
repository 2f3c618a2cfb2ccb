package gallery_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/tenant"
)

func draft(label string) easel.Draft {
	return easel.Draft{Label: label, X: 0.1, Y: 0.1, Width: 0.2, Height: 0.2}
}

// drawn returns the ids on an image that have the label.
func (r *rig) drawn(image easel.ID, label string) []easel.ID {
	r.t.Helper()
	listing := must[canvas.Listing](r, canvas.Key(homeTenant, image), canvas.List{Label: &label})
	var body struct{ Annotations []easel.Annotation }
	if err := json.Unmarshal(listing.Body, &body); err != nil {
		r.t.Fatal(err)
	}
	ids := []easel.ID{}
	for _, a := range body.Annotations {
		ids = append(ids, a.ID)
	}
	return ids
}

func TestBulkOnOneImage(t *testing.T) {
	r := newRig(t, nil)
	m := r.upload(anna, "a")
	ids, err := r.Bulk(t.Context(), anna, []gallery.Item{{m.ID, draft("x")}, {m.ID, draft("y")}}, actors.Once{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]easel.ID{ids[1]}, r.drawn(m.ID, "y")); diff != "" || len(ids) != 2 {
		t.Fatal(ids, diff)
	}
}

func TestBulkOnSeveralImagesKeepsTheOrder(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.upload(anna, "a"), r.upload(adam, "b")
	items := []gallery.Item{{a.ID, draft("0")}, {b.ID, draft("1")}, {a.ID, draft("2")}, {b.ID, draft("3")}}
	ids, err := r.Bulk(t.Context(), anna, items, actors.Once{})
	if err != nil {
		t.Fatal(err)
	}
	for i, item := range items {
		if diff := cmp.Diff([]easel.ID{ids[i]}, r.drawn(item.Image, item.Draft.Label)); diff != "" {
			t.Errorf("item %d: %s", i, diff)
		}
	}
	ver := must[canvas.ImageReply](r, canvas.Key(homeTenant, a.ID), canvas.Look{}).Ver
	if ver != 1 {
		t.Errorf("the part of an image took %d versions", ver)
	}
}

func TestBulkRefusesAllOrNothing(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.upload(anna, "a"), r.upload(anna, "b")
	gone := r.upload(anna, "gone")
	must[canvas.Empty](r, canvas.Key(homeTenant, gone.ID), canvas.SoftDelete{By: canvas.Author{User: "anna", Role: easel.Annotator}})
	foreign, err := r.Upload(t.Context(), other, gallery.Upload{Body: pictureReader()})
	if err != nil {
		t.Fatal(err)
	}
	bad := draft("bad")
	bad.X = 0.95
	tooMany := make([]gallery.Item, easel.MaxOps+1)
	for i := range tooMany {
		tooMany[i] = gallery.Item{Image: a.ID, Draft: draft("x")}
	}
	tests := []struct {
		name  string
		by    easel.Principal
		items []gallery.Item
		code  easel.Code
	}{
		{"none", anna, nil, easel.CodeInvalid},
		{"too many", anna, tooMany, easel.CodeInvalid},
		{"viewer, one image", vera, []gallery.Item{{a.ID, draft("x")}}, easel.CodeForbidden},
		{"viewer", vera, []gallery.Item{{a.ID, draft("x")}, {b.ID, draft("x")}}, easel.CodeForbidden},
		{"bad draft", anna, []gallery.Item{{a.ID, draft("x")}, {b.ID, bad}}, easel.CodeInvalid},
		{"bad id", anna, []gallery.Item{{a.ID, draft("x")}, {"../x", draft("x")}}, easel.CodeNotFound},
		{"unknown image", anna, []gallery.Item{{a.ID, draft("x")}, {easel.NewID(), draft("x")}}, easel.CodeNotFound},
		{"another tenant's image", anna, []gallery.Item{{a.ID, draft("x")}, {foreign.ID, draft("x")}}, easel.CodeNotFound},
		{"deleted image", anna, []gallery.Item{{a.ID, draft("x")}, {gone.ID, draft("x")}}, easel.CodeGone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := r.Bulk(t.Context(), tt.by, tt.items, actors.Once{})
			wantCode(t, err, tt.code)
			if left := append(r.drawn(a.ID, "x"), r.drawn(b.ID, "x")...); len(left) > 0 {
				t.Fatalf("left %v", left)
			}
		})
	}
}

func TestBulkWithAKeyHappensOnce(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.upload(anna, "a"), r.upload(anna, "b")
	for _, tt := range []struct {
		name  string
		items []gallery.Item
	}{
		{"one image", []gallery.Item{{a.ID, draft("one")}}},
		{"several", []gallery.Item{{a.ID, draft("several")}, {b.ID, draft("several")}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			once := actors.Once{ID: tt.name}
			first, err := r.Bulk(t.Context(), anna, tt.items, once)
			if err != nil {
				t.Fatal(err)
			}
			again, err := r.Bulk(t.Context(), anna, tt.items, once)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(first, again); diff != "" {
				t.Fatal(diff)
			}
			_, err = r.Bulk(t.Context(), anna, append(tt.items, gallery.Item{Image: b.ID, Draft: draft("more")}), once)
			wantCode(t, err, easel.CodeInvalid)
			if n := len(r.drawn(a.ID, tt.items[0].Draft.Label)); n != 1 {
				t.Fatalf("%d on a", n)
			}
			if n := len(r.drawn(b.ID, "more")); n != 0 {
				t.Fatalf("%d of the other body", n)
			}
		})
	}
	// A refusal for good is the verdict, too.
	missing := easel.NewID()
	once := actors.Once{ID: "refused"}
	for range 2 {
		_, err := r.Bulk(t.Context(), anna, []gallery.Item{{a.ID, draft("x")}, {missing, draft("x")}}, once)
		wantCode(t, err, easel.CodeNotFound)
	}
	_, err := r.Bulk(t.Context(), anna, []gallery.Item{{a.ID, draft("x")}}, once)
	wantCode(t, err, easel.CodeInvalid)
}

// The bulk's process ends before, or right after, each of its steps. Once the
// images have heard or asked, each bulk is on all of them or on none, and those
// that were acknowledged are on all.
func TestBulkCrashedAnywhereHasOneOutcome(t *testing.T) {
	r := newRig(t, nil)
	images := []easel.ID{r.upload(anna, "a").ID, r.upload(anna, "b").ID, r.upload(anna, "c").ID}
	type attempt struct {
		label string
		ids   []easel.ID // nil: not acknowledged
	}
	var attempts []attempt
	for _, keyed := range []bool{false, true} {
		for step := 1; ; step++ {
			blown := false
			for _, late := range []bool{false, true} {
				tried := attempt{label: fmt.Sprintf("%v-%d-%v", keyed, step, late)}
				once := actors.Once{}
				if keyed {
					once.ID = tried.label
				}
				items := []gallery.Item{}
				for i := range 2 * len(images) {
					items = append(items, gallery.Item{Image: images[i%len(images)], Draft: draft(tried.label)})
				}
				r.fuse.arm(step, late)
				ids, err := r.Bulk(t.Context(), anna, items, once)
				blown = blown || r.fuse.hasBlown()
				r.fuse.arm(0, false)
				if err == nil {
					tried.ids = ids
					for i, image := range images {
						if n := len(r.drawn(image, tried.label)); n != 2 {
							t.Errorf("%s: acknowledged, but image %d shows %d", tried.label, i, n)
						}
					}
				}
				attempts = append(attempts, tried)
			}
			if !blown {
				break
			}
		}
	}
	r.restart(10 * time.Minute)
	outcomes := map[string][]int{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(outcomes)
		}
	})
	r.until("every bulk is on all images or on none", func() bool {
		whole := true
		for _, tried := range attempts {
			counts := []int{}
			for _, image := range images {
				counts = append(counts, len(r.drawn(image, tried.label)))
			}
			outcomes[tried.label] = counts
			whole = whole && (counts[0] == 0 || counts[0] == 2) && counts[1] == counts[0] && counts[2] == counts[0]
		}
		return whole
	})
	committed := 0
	for _, tried := range attempts {
		n := outcomes[tried.label][0]
		if tried.ids != nil && n != 2 {
			t.Errorf("%s was acknowledged and is on no image", tried.label)
		}
		if n == 2 && tried.ids == nil {
			committed++
		}
	}
	if committed == 0 {
		t.Error("no bulk was committed without its caller hearing of it: the crashes miss the decision")
	}
	// Nothing waits for a decision any more: an image with an intent refuses to be
	// purged.
	for _, image := range images {
		must[canvas.Empty](r, canvas.Key(homeTenant, image), canvas.SoftDelete{By: canvas.Author{User: "anna", Role: easel.Annotator}})
		r.until("the image has no undecided bulk", func() bool {
			_, err := r.ask(canvas.Key(homeTenant, image), canvas.Purge{})
			return err == nil
		})
	}
}

// A repeat with the same key after a crash ends with the bulk drawn once.
func TestBulkWithAKeyIsRepeatedAfterACrash(t *testing.T) {
	r := newRig(t, nil)
	images := []easel.ID{r.upload(anna, "a").ID, r.upload(anna, "b").ID}
	type attempt struct {
		label string
		items []gallery.Item
	}
	var attempts []attempt
	for step := 1; ; step++ {
		blown := false
		for _, late := range []bool{false, true} {
			for n := 1; n <= len(images); n++ { // on one image, and on both
				tried := attempt{label: fmt.Sprintf("%d-%v-%d", step, late, n)}
				for _, image := range images[:n] {
					tried.items = append(tried.items, gallery.Item{Image: image, Draft: draft(tried.label)})
				}
				r.fuse.arm(step, late)
				_, _ = r.Bulk(t.Context(), anna, tried.items, actors.Once{ID: tried.label})
				blown = blown || r.fuse.hasBlown()
				r.fuse.arm(0, false)
				attempts = append(attempts, tried)
			}
		}
		if !blown {
			break
		}
	}
	r.restart(time.Minute)
	for _, tried := range attempts {
		ids, err := r.Bulk(t.Context(), anna, tried.items, actors.Once{ID: tried.label})
		if err != nil {
			t.Errorf("%s: %v", tried.label, err)
			continue
		}
		for i, item := range tried.items {
			if got := r.drawn(item.Image, tried.label); !slices.Equal(got, []easel.ID{ids[i]}) {
				t.Errorf("%s: image %d shows %v, want %v", tried.label, i, got, ids[i])
			}
		}
	}
}

// The process lives on, and only one answer, or one request, is lost.
func TestBulkSurvivesOneLostStep(t *testing.T) {
	r := newRig(t, nil)
	r.fuse.brief = true
	images := []easel.ID{r.upload(anna, "a").ID, r.upload(anna, "b").ID}
	for step := 1; ; step++ {
		blown := false
		for _, late := range []bool{false, true} {
			label := fmt.Sprint(step, late)
			r.fuse.arm(step, late)
			_, err := r.Bulk(t.Context(), anna, []gallery.Item{{images[0], draft(label)}, {images[1], draft(label)}}, actors.Once{ID: label})
			blown = blown || r.fuse.hasBlown()
			r.fuse.arm(0, false)
			a, b := len(r.drawn(images[0], label)), len(r.drawn(images[1], label))
			if a != b || (err == nil) != (a == 1) {
				t.Errorf("%s: bulk %v, drawn %d and %d", label, err, a, b)
			}
		}
		if !blown {
			break
		}
	}
}

func TestBulkWhoseDecisionIsNotHeardOfIsDrawn(t *testing.T) {
	r := newRig(t, nil)
	images := []easel.ID{r.upload(anna, "a").ID, r.upload(anna, "b").ID}
	r.hurry()
	r.asker.loses = func(m actors.Message) bool { _, decide := m.(tenant.Decide); return decide }
	_, err := r.Bulk(t.Context(), anna, []gallery.Item{{images[0], draft("x")}, {images[1], draft("x")}}, actors.Once{})
	wantCode(t, err, easel.CodeUnavailable)
	r.until("the tenant has told both images", func() bool {
		return len(r.drawn(images[0], "x")) == 1 && len(r.drawn(images[1], "x")) == 1
	})
}
