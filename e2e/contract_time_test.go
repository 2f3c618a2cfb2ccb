package e2e_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// past is a list of annotations with the version that it is of.
type past struct {
	Annotations []box `json:"annotations"`
	Version     int64 `json:"version"`
	body        string
}

// then returns the annotations of an image at a version or a time.
func (a *api) then(t *testing.T, image string, at any, more string) past {
	t.Helper()
	got := a.must(t, http.StatusOK, "GET", "/api/images/"+image+"/annotations?at="+url.QueryEscape(fmt.Sprint(at))+more, nil)
	out := past{body: string(got.body)}
	if err := got.into(&out); err != nil {
		t.Fatal(err)
	}
	if _, ver, _ := strings.Cut(got.header.Get("X-Easel-Version"), ":"); ver != strconv.FormatInt(out.Version, 10) {
		t.Errorf("X-Easel-Version %q on version %d", got.header.Get("X-Easel-Version"), out.Version)
	}
	return out
}

// present returns the list as it is now.
func (a *api) present(t *testing.T, image string) past {
	t.Helper()
	got := a.must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+image, nil)
	out := past{body: string(got.body)}
	if err := got.into(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// said is what annotations say, by id, without who and when.
func (p past) said() string {
	list := slices.Clone(p.Annotations)
	slices.SortFunc(list, func(a, b box) int { return cmp.Compare(a.ID, b.ID) })
	var b strings.Builder
	for _, a := range list {
		fmt.Fprintln(&b, a.ID, a.Label, a.X, a.Y, a.W, a.H)
	}
	return b.String()
}

type reverted struct {
	Reverted int      `json:"reverted"`
	Version  int64    `json:"version"`
	IDs      []string `json:"ids"`
}

func (a *api) revert(t *testing.T, image, body string, header ...string) reverted {
	t.Helper()
	got := a.must(t, http.StatusOK, "POST", "/api/images/"+image+"/revert", raw(body), header...)
	var out reverted
	if err := got.into(&out); err != nil {
		t.Fatal(err)
	}
	if _, ver, _ := strings.Cut(got.header.Get("X-Easel-Version"), ":"); ver != strconv.FormatInt(out.Version, 10) || len(out.IDs) != out.Reverted {
		t.Errorf("got %s with %q", got, got.header.Get("X-Easel-Version"))
	}
	return out
}

func (a *api) relabel(t *testing.T, image, id, label string) {
	t.Helper()
	a.must(t, http.StatusOK, "PATCH", "/api/images/"+image+"/annotations/"+id, map[string]any{"label": label})
}

// TestContractPastStates: every version, and every time, can be had back, from the
// file and from the objects that history has become, also after a crash.
func TestContractPastStates(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	args := []string{"--jwt-secret=" + signingSecret, "--op-log=10"}
	w := site{start(t, data, args...)}
	ada := w.as("acme", "ada", "reviewer")
	image := ada.upload(t, "a.png", picture(8, 8, 1)).ID
	lists := []past{ada.present(t, image)}
	var times []string
	var ids []string
	for i := range 64 {
		switch {
		case i%3 == 0:
			ids = append(ids, ada.draw(t, image, fmt.Sprint("label ", i)).ID)
		case i%7 == 5:
			ada.must(t, http.StatusNoContent, "DELETE", "/api/images/"+image+"/annotations/"+ids[0], nil)
			ids = ids[1:]
		default:
			ada.relabel(t, image, ids[i%len(ids)], fmt.Sprint("label ", i))
		}
		lists = append(lists, ada.present(t, image))
		times = append(times, time.Now().UTC().Add(2*time.Millisecond).Format(time.RFC3339Nano))
		time.Sleep(4 * time.Millisecond) // so that the next batch has a later time
	}
	check := func() {
		t.Helper()
		for ver, want := range lists {
			if got := ada.then(t, image, ver, ""); got.body != want.body {
				t.Fatalf("version %d is %s, was %s", ver, got.body, want.body)
			}
		}
		for i := 0; i < len(times); i += 5 {
			if got := ada.then(t, image, times[i], ""); got.body != lists[i+1].body {
				t.Fatalf("at %s it is %s, was %s", times[i], got.body, lists[i+1].body)
			}
		}
		var seen []int64
		for cursor := "?limit=7&since=0"; ; {
			var page struct {
				Ops        []batch `json:"ops"`
				NextCursor *string `json:"next_cursor"`
			}
			if err := ada.must(t, http.StatusOK, "GET", "/api/images/"+image+"/ops"+cursor, nil).into(&page); err != nil {
				t.Fatal(err)
			}
			for _, b := range page.Ops {
				seen = append(seen, b.Ver)
			}
			if page.NextCursor == nil {
				break
			}
			cursor = "?limit=7&cursor=" + *page.NextCursor
		}
		for i, ver := range seen {
			if ver != int64(i+1) {
				t.Fatalf("the op log is %v", seen)
			}
		}
		if len(seen) != 64 {
			t.Fatalf("the op log has %d batches", len(seen))
		}
	}
	check()
	// Files: there are objects of history, and they go with the image.
	if n := objects(t, data, "hist-"); n < 4 {
		t.Errorf("%d objects of history", n)
	}
	w.kill()
	wipe(t, data)
	w = site{start(t, data, args...)}
	ada = w.as("acme", "ada", "reviewer")
	check()

	// Filters, the row, and the list without at.
	filtered := ada.then(t, image, 64, "&label=label%2063")
	if len(filtered.Annotations) != 1 || filtered.Version != 64 {
		t.Errorf("filtered: %s", filtered.body)
	}
	if none := ada.then(t, image, 30, "&minConfidence=0.5"); len(none.Annotations) != 0 {
		t.Errorf("filtered: %s", none.body)
	}
	if now := ada.must(t, http.StatusOK, "GET", "/api/images/"+image+"/annotations", nil); string(now.body) != lists[64].body {
		t.Errorf("without at: %s", now)
	}
	if old := ada.must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+image+"?at=20", nil, "X-Easel-Read", "local"); string(old.body) != lists[20].body || old.header.Get("X-Easel-Age") == "" {
		t.Errorf("by image: %s", old)
	}
	for _, ver := range []int{0, 3, 20, 64} {
		var row struct {
			Image struct {
				Version int64 `json:"version"`
				Count   int   `json:"annotation_count"`
			} `json:"image"`
		}
		got := ada.must(t, http.StatusOK, "GET", fmt.Sprint("/api/images/", image, "?at=", ver), nil)
		if err := got.into(&row); err != nil {
			t.Fatal(err)
		}
		if row.Image.Version != int64(ver) || row.Image.Count != len(lists[ver].Annotations) || !strings.HasSuffix(got.header.Get("X-Easel-Version"), fmt.Sprint(":", ver)) {
			t.Errorf("version %d: %s", ver, got)
		}
	}

	// A live client that was away for longer than the log has gets a snapshot.
	epoch, _, _ := strings.Cut(ada.must(t, http.StatusOK, "GET", "/api/images/"+image, nil).header.Get("X-Easel-Version"), ":")
	s, err := ada.dial(t.Context(), image, "tab", &frame{Epoch: epoch, Ver: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if welcome := s.until(t, "welcome", nil); welcome.Recovered {
		t.Error("recovered from before the log")
	}
	if snap := s.until(t, "snap", func(f frame) bool { return f.Last }); snap.Ver != 64 || len(snap.Annotations) != len(lists[64].Annotations) {
		t.Errorf("snapshot of version %d with %d", snap.Ver, len(snap.Annotations))
	}
	again, err := ada.dial(t.Context(), image, "tab2", &frame{Epoch: epoch, Ver: 60})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if welcome := again.until(t, "welcome", nil); !welcome.Recovered {
		t.Error("not recovered from within the log")
	}
}

// objects counts files of the store whose names hold a text.
func objects(t *testing.T, data, name string) int {
	t.Helper()
	return len(filesNamed(t, data+"/store", name))
}

// TestContractThePastRow: names, metadata and deletion as they were.
func TestContractThePastRow(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "admin")
	image := ada.upload(t, "first.png", picture(8, 8, 2)).ID
	stamp := func() string {
		time.Sleep(5 * time.Millisecond)
		now := time.Now().UTC().Format(time.RFC3339Nano)
		time.Sleep(5 * time.Millisecond)
		return now
	}
	born := stamp()
	ada.draw(t, image, "cat")
	ada.must(t, http.StatusOK, "PATCH", "/api/images/"+image, raw(`{"filename":"second.png","metadata":{"k":1}}`))
	renamed := stamp()
	ada.must(t, http.StatusNoContent, "DELETE", "/api/images/"+image, nil)
	deleted := stamp()
	ada.refused(t, "gone", "GET", "/api/images/"+image+"?at=0", nil)
	ada.refused(t, "gone", "GET", "/api/images/"+image+"/annotations?at=0", nil)
	ada.refused(t, "gone", "POST", "/api/images/"+image+"/revert", raw(`{"version":0}`))
	ada.must(t, http.StatusOK, "POST", "/api/images/"+image+"/restore", nil)
	row := func(at string) (name, metadata string, gone bool, count int) {
		t.Helper()
		var out struct {
			Image struct {
				Filename  string          `json:"filename"`
				Metadata  json.RawMessage `json:"metadata"`
				DeletedAt *string         `json:"deleted_at"`
				Count     int             `json:"annotation_count"`
			} `json:"image"`
		}
		if err := ada.must(t, http.StatusOK, "GET", "/api/images/"+image+"?at="+at, nil).into(&out); err != nil {
			t.Fatal(err)
		}
		return out.Image.Filename, string(out.Image.Metadata), out.Image.DeletedAt != nil, out.Image.Count
	}
	for _, tc := range []struct {
		at   string
		want string
	}{
		{born, "first.png {} false 0"},
		{renamed, `second.png {"k":1} false 1`},
		{deleted, `second.png {"k":1} true 1`},
		{"0", "first.png {} false 0"},
		{"1", `second.png {"k":1} false 1`},
	} {
		name, metadata, gone, count := row(tc.at)
		if got := fmt.Sprint(name, " ", metadata, " ", gone, " ", count); got != tc.want {
			t.Errorf("at %s: %s, want %s", tc.at, got, tc.want)
		}
	}
}

// TestContractMoments: what ?at= takes, and what it answers when there is nothing.
func TestContractMoments(t *testing.T) {
	t.Parallel()
	w := newSite(t, "--history=1h")
	ada, eve := w.as("acme", "ada", "viewer"), w.as("evil", "eve", "owner")
	owner := w.as("acme", "olga", "owner")
	image := owner.upload(t, "a.png", picture(8, 8, 3)).ID
	owner.draw(t, image, "cat")
	never := strings.Repeat("0", 31) + "1"
	for _, path := range []string{"/api/images/%s", "/api/images/%s/annotations"} {
		for at, code := range map[string]string{
			"2": "invalid", "99999999999999999999": "invalid", "-1": "invalid", "": "invalid", "now": "invalid", "1.5": "invalid",
			"2026-13-01T00:00:00Z": "invalid", "2999-01-01T00:00:00Z": "invalid",
			"2001-01-01T00:00:00Z": "gone", "0001-01-01T00:00:00Z": "gone",

			time.Now().Add(-time.Minute).UTC().Format(time.RFC3339): "not_found",
			time.Now().Add(-2 * time.Hour).Format(time.RFC3339):     "gone",
		} {
			ada.refused(t, code, "GET", fmt.Sprintf(path, image)+"?at="+url.QueryEscape(at), nil)
			eve.refused(t, "not_found", "GET", fmt.Sprintf(path, image)+"?at="+"1", nil)
			ada.refused(t, "not_found", "GET", fmt.Sprintf(path, never)+"?at=1", nil)
		}
		ada.refused(t, "invalid", "GET", fmt.Sprintf(path, "x")+"?at=1", nil)
		ada.refused(t, "invalid", "GET", fmt.Sprintf(path, image)+"?at=1", nil, "X-Easel-Version", "nonsense")
		ada.must(t, http.StatusOK, "GET", fmt.Sprintf(path, image)+"?at=1", nil)
		// A plus that was not escaped.
		soon := time.Now().Add(time.Second)
		eventually(t, "it is later", func() error {
			got, err := ada.do(t.Context(), "GET", fmt.Sprintf(path, image)+"?at="+soon.In(time.FixedZone("", 7200)).Format(time.RFC3339), nil)
			if err == nil && got.status != http.StatusOK {
				err = fmt.Errorf("%s", got)
			}
			return err
		})
	}
	ada.refused(t, "invalid", "GET", "/api/images/"+image+"/annotations?at=1&minConfidence=2", nil)
}

// TestContractRevertOfAUser: by version and by time; what others did stays, and
// everyone sees it.
func TestContractRevertOfAUser(t *testing.T) {
	t.Parallel()
	w := newSite(t, "--op-log=5")
	rita, bob := w.as("acme", "rita", "reviewer"), w.as("acme", "bob", "annotator")
	for _, kind := range []string{"version", "time"} {
		t.Run(kind, func(t *testing.T) {
			image := rita.upload(t, "a.png", picture(8, 8, 4)).ID
			cat, dog := rita.draw(t, image, "cat"), rita.draw(t, image, "dog")
			bob.relabel(t, image, dog.ID, "a dog")
			since := strconv.FormatInt(rita.present(t, image).Version, 10)
			if kind == "time" {
				time.Sleep(5 * time.Millisecond)
				since = strconv.Quote(time.Now().UTC().Format(time.RFC3339Nano))
				time.Sleep(5 * time.Millisecond)
			}
			bob.relabel(t, image, cat.ID, "BOB")
			bob.must(t, http.StatusNoContent, "DELETE", "/api/images/"+image+"/annotations/"+dog.ID, nil)
			bob.draw(t, image, "bob's own")
			rita.must(t, http.StatusOK, "PATCH", "/api/images/"+image+"/annotations/"+cat.ID, map[string]any{"x": 0.6})
			spoiled := rita.present(t, image)
			s, err := bob.dial(t.Context(), image, "watch", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			s.until(t, "snap", func(f frame) bool { return f.Last })

			done := rita.revert(t, image, `{"user":"bob","since":`+since+`}`)
			now := rita.present(t, image)
			if done.Reverted != 3 || done.Version != now.Version || len(now.Annotations) != 2 {
				t.Fatalf("reverted %+v, now %s", done, now.body)
			}
			for _, a := range now.Annotations {
				switch {
				case a.ID == cat.ID && a.Label == "cat" && a.X == 0.6:
				case a.ID == dog.ID && a.Label == "a dog" && a.By == "rita" && a.Rev > dog.Rev:
				default:
					t.Errorf("now there is %+v", a)
				}
			}
			// The stream shows it as ops, the deleted one coming back as a put.
			seen := map[string]bool{}
			for len(seen) < 3 {
				f := s.until(t, "ops", nil)
				for _, e := range f.Ops {
					seen[e.K+" "+e.ID] = true
				}
				if f.By != "rita" {
					t.Errorf("ops by %q", f.By)
				}
			}
			if !seen["put "+dog.ID] || !seen["patch "+cat.ID] {
				t.Errorf("saw %v", seen)
			}
			// A revert of the revert.
			back := rita.revert(t, image, fmt.Sprintf(`{"version":%d}`, spoiled.Version))
			if got := rita.present(t, image); got.said() != spoiled.said() || back.Reverted != 3 {
				t.Errorf("reverted %+v, now\n%s\nwant\n%s", back, got.said(), spoiled.said())
			}
			if none := rita.revert(t, image, fmt.Sprintf(`{"version":%d}`, spoiled.Version)); none.Reverted != 0 || none.Version != back.Version || none.IDs == nil {
				t.Errorf("a repeat: %+v", none)
			}
		})
	}
}

// TestContractRevertToAVersion: of the image and of one annotation.
func TestContractRevertToAVersion(t *testing.T) {
	t.Parallel()
	w := newSite(t, "--op-log=5")
	rita, bob := w.as("acme", "rita", "reviewer"), w.as("acme", "bob", "annotator")
	image := rita.upload(t, "a.png", picture(8, 8, 4)).ID
	cat, dog := rita.draw(t, image, "cat"), rita.draw(t, image, "dog")
	start := rita.present(t, image)
	bob.relabel(t, image, cat.ID, "BOB")
	bob.must(t, http.StatusNoContent, "DELETE", "/api/images/"+image+"/annotations/"+dog.ID, nil)
	events := bob.stream(t, image, "")
	defer events.cancel()
	// The whole image.
	rita.revert(t, image, fmt.Sprintf(`{"version":%d}`, start.Version))
	if got := rita.present(t, image); got.said() != start.said() {
		t.Errorf("now\n%s\nwant\n%s", got.said(), start.said())
	}
	if got := rita.then(t, image, start.Version, ""); got.body != start.body {
		t.Errorf("the past has changed: %s", got.body)
	}
	rita.revert(t, image, `{"version":0}`)
	if got := rita.present(t, image); len(got.Annotations) != 0 {
		t.Errorf("now %s", got.body)
	}

	// One annotation: to before its last change, and to a version.
	rita.revert(t, image, fmt.Sprintf(`{"annotation":%q}`, cat.ID))
	rita.revert(t, image, fmt.Sprintf(`{"annotation":%q,"version":%d}`, dog.ID, start.Version))
	if got := rita.present(t, image); got.said() != start.said() {
		t.Errorf("now\n%s\nwant\n%s", got.said(), start.said())
	}
	bob.relabel(t, image, dog.ID, "x")
	bob.relabel(t, image, dog.ID, "y")
	if one := rita.revert(t, image, fmt.Sprintf(`{"annotation":%q}`, dog.ID)); one.Reverted != 1 || one.IDs[0] != dog.ID {
		t.Errorf("got %+v", one)
	}
	if got := rita.present(t, image); !strings.Contains(got.said(), dog.ID+" x ") {
		t.Errorf("now\n%s", got.said())
	}

	// What is back can be edited, and a deleted id is as final as ever for clients.
	bob.relabel(t, image, dog.ID, "z")
	bob.must(t, http.StatusNoContent, "DELETE", "/api/images/"+image+"/annotations/"+dog.ID, nil)
	bob.must(t, http.StatusOK, "POST", "/api/images/"+image+"/ops", raw(`{"client":"c","seq":1,"ops":[{"k":"put","annotation":{"label":"l","x":0,"y":0,"width":1,"height":1}}]}`))
	bob.refused(t, "gone", "POST", "/api/images/"+image+"/ops", raw(`{"client":"c","seq":2,"ops":[{"k":"put","id":"`+dog.ID+`","annotation":{"label":"l","x":0,"y":0,"width":1,"height":1}}]}`))

	// The event stream ends where the image is.
	latest := rita.present(t, image).Version
	deadline := time.After(patience)
	for reached := int64(0); reached < latest; {
		select {
		case e := <-events.events:
			reached = max(reached, e.frame.Ver)
		case <-deadline:
			t.Fatalf("the stream stays at %d of %d", reached, latest)
		}
	}
}

// TestContractRevertRequests: bodies, roles, tenants, repeats.
func TestContractRevertRequests(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	rita := w.as("acme", "rita", "reviewer")
	image := rita.upload(t, "a.png", picture(8, 8, 5)).ID
	cat := rita.draw(t, image, "cat")
	path := "/api/images/" + image + "/revert"
	for body, code := range map[string]string{
		``:                                     "bad_request",
		`[]`:                                   "bad_request",
		`{"x":1}`:                              "bad_request",
		`{"user":1}`:                           "bad_request",
		`{"user":"a","user":"b","since":1}`:    "bad_request",
		`{"version":"1"}`:                      "bad_request",
		`{"version":1}x`:                       "bad_request",
		`{"user":"bob","since":true}`:          "bad_request",
		`{"user":"bob","since":{}}`:            "bad_request",
		`{}`:                                   "invalid",
		`{"since":1}`:                          "invalid",
		`{"version":1,"since":1}`:              "invalid",
		`{"user":"bob"}`:                       "invalid",
		`{"user":"","since":0}`:                "invalid",
		`{"user":"bob","since":0,"version":1}`: "invalid",
		`{"user":"bob","since":"yesterday"}`:   "invalid",
		`{"user":"bob","since":"1"}`:           "invalid",
		`{"user":"bob","since":1.5}`:           "invalid",
		`{"user":"bob","since":2}`:             "invalid",
		`{"user":"bob","since":-1}`:            "invalid",
		`{"user":"bob","since":"2999-01-01T00:00:00Z"}`: "invalid",
		`{"version":2}`:      "invalid",
		`{"version":-1}`:     "invalid",
		`{"version":1.5}`:    "invalid",
		`{"annotation":"x"}`: "invalid",
		`{"user":"bob","since":0,"annotation":"` + cat.ID + `"}`: "invalid",
		`{"annotation":"` + cat.ID + `","version":2}`:            "invalid",
		`{"annotation":"` + strings.Repeat("0", 31) + `1"}`:      "not_found",
	} {
		if got := rita.text(t, "POST", path, body); got.status != statusOf[code] {
			t.Errorf("%s: got %s, want %s", body, got, code)
		} else {
			got.fails(t, statusOf[code], code)
		}
	}
	for _, role := range []string{"viewer", "annotator"} {
		w.as("acme", "x", role).refused(t, "forbidden", "POST", path, raw(`{"version":0}`))
	}
	w.as("evil", "eve", "owner").refused(t, "not_found", "POST", path, raw(`{"version":0}`))
	w.anonymous().refused(t, "unauthorized", "POST", path, raw(`{"version":0}`))
	// Long before the image there was nothing, so all of it is undone.
	if all := rita.revert(t, image, `{"user":"rita","since":"2001-01-01T00:00:00Z"}`); all.Reverted != 1 {
		t.Errorf("got %+v", all)
	}
	if none := rita.revert(t, image, `{"user":"nobody","since":0}`); none.Reverted != 0 {
		t.Errorf("got %+v", none)
	}

	// A repeat with the same key gets the first answer and has no second effect.
	for i, kind := range []string{`{"version":1}`, `{"annotation":"` + cat.ID + `"}`, `{"user":"rita","since":1}`} {
		key := fmt.Sprint("key-", i)
		first := rita.must(t, http.StatusOK, "POST", path, raw(kind), "Idempotency-Key", key)
		if i == 0 {
			rita.relabel(t, image, cat.ID, "meanwhile")
		}
		now := rita.present(t, image)
		again := rita.must(t, http.StatusOK, "POST", path, raw(kind), "Idempotency-Key", key)
		if string(first.body) != string(again.body) || rita.present(t, image).body != now.body {
			t.Errorf("%s: first %s, again %s", kind, first, again)
		}
		rita.refused(t, "invalid", "POST", path, raw(`{"version":0}`), "Idempotency-Key", key)
	}

	// A personal tenant's owner may too.
	solo := w.as("", "solo", "")
	own := solo.upload(t, "a.png", picture(8, 8, 6)).ID
	solo.draw(t, own, "x")
	if done := solo.revert(t, own, `{"version":0}`); done.Reverted != 1 {
		t.Errorf("got %+v", done)
	}
}

// TestContractLargeRevert: more than one batch, and a crash afterwards.
func TestContractLargeRevert(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	args := []string{"--jwt-secret=" + signingSecret, "--op-log=5"}
	w := site{start(t, data, args...)}
	rita := w.as("acme", "rita", "reviewer")
	image := rita.upload(t, "a.png", picture(8, 8, 7)).ID
	const n = 1200
	for from := 0; from < n; from += 400 {
		var items []json.RawMessage
		for i := range 400 {
			items = append(items, raw(drawing(image, fmt.Sprint("label ", from+i), "")))
		}
		rita.must(t, http.StatusCreated, "POST", "/api/annotations/bulk", map[string]any{"annotations": items})
	}
	full := rita.present(t, image)
	done := rita.revert(t, image, `{"version":0}`)
	if now := rita.present(t, image); done.Reverted != n || len(now.Annotations) != 0 || done.Version < full.Version+3 {
		t.Fatalf("reverted %d to version %d, %d are left", done.Reverted, done.Version, len(now.Annotations))
	}
	key := []string{"Idempotency-Key", "back"}
	done = rita.revert(t, image, fmt.Sprintf(`{"version":%d}`, full.Version), key...)
	w.kill()
	wipe(t, data)
	w = site{start(t, data, args...)}
	rita = w.as("acme", "rita", "reviewer")
	if now := rita.present(t, image); now.said() != full.said() || now.Version != done.Version {
		t.Errorf("after a crash there are %d at version %d, want %d at %d", len(now.Annotations), now.Version, n, done.Version)
	}
	if again := rita.revert(t, image, fmt.Sprintf(`{"version":%d}`, full.Version), key...); again.Version != done.Version || again.Reverted != n {
		t.Errorf("a repeat after the crash: %d at version %d", again.Reverted, again.Version)
	}
	if got := rita.then(t, image, full.Version, ""); got.body != full.body {
		t.Error("the past has changed")
	}
}

// filesNamed returns the files below a folder whose paths hold a text.
func filesNamed(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(path, text) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
