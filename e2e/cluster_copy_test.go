package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestClusterReadsFromACopy reads an image on a node that does not own it, but has
// a room because somebody there watches it.
func TestClusterReadsFromACopy(t *testing.T) {
	t.Parallel()
	c := newCity(t, 3)
	_, endpoint, _ := strings.Cut(c.store, "endpoint=")
	store := startProxy(t, endpoint)
	c.store = homeOn(store.URL())
	c.up(t)
	row := c.api("n1").upload(t, "one.png", picture(40, 30, 1))
	owner := c.owner(t, row.ID)
	here := c.besides(t, owner)
	bare := c.besides(t, owner, here) // nobody watches there
	hand := drawOn(t, c.api(here), row.ID, "hand")
	for range 5 {
		hand.put(t)
	}
	eventually(t, "all is acknowledged", func() error { return hand.settled(5) })
	const answers = `easel_live_reads_total{outcome="answered"`
	list, near := "/api/annotations/by-image/"+row.ID, c.api(here)
	local := func(t *testing.T, path string) answer {
		t.Helper()
		return near.must(t, http.StatusOK, "GET", path, nil, "X-Easel-Read", "local")
	}
	// The first read makes the room ask the image whether its copy is current.
	warm := func(t *testing.T) {
		t.Helper()
		eventually(t, "the copy answers", func() error {
			answered := c.metric(t, here, answers)
			local(t, list)
			if c.metric(t, here, answers) == answered {
				return errors.New("the owner does")
			}
			return nil
		})
	}
	version := func(a answer) string { return a.header.Get("X-Easel-Version") }

	t.Run("as the owner answers", func(t *testing.T) {
		warm(t)
		want := c.api(owner).must(t, http.StatusOK, "GET", list, nil)
		var shown struct{ Annotations []box }
		if err := want.into(&shown); err != nil {
			t.Fatal(err)
		}
		one := "/api/images/" + row.ID + "/annotations/" + shown.Annotations[0].ID
		for path, want := range map[string]answer{
			list:                                     want,
			"/api/images/" + row.ID + "/annotations": want,
			list + "?label=hand-3":                   c.api(owner).must(t, http.StatusOK, "GET", list+"?label=hand-3", nil),
			one:                                      c.api(owner).must(t, http.StatusOK, "GET", one, nil),
			"/api/images/" + row.ID + "/ops":         c.api(owner).must(t, http.StatusOK, "GET", "/api/images/"+row.ID+"/ops", nil),
			"/api/images/" + row.ID + "/messages":    c.api(owner).must(t, http.StatusOK, "GET", "/api/images/"+row.ID+"/messages", nil),
		} {
			got := local(t, path)
			if string(got.body) != string(want.body) || version(got) != version(want) || got.header.Get("Etag") != want.header.Get("Etag") {
				t.Errorf("%s: %s at %s, the owner says %s at %s", path, got.body, version(got), want.body, version(want))
			}
			if age, err := strconv.Atoi(got.header.Get("X-Easel-Age")); err != nil || age < 0 || age > 5000 {
				t.Errorf("%s: X-Easel-Age is %q", path, got.header.Get("X-Easel-Age"))
			}
		}
	})
	t.Run("without a message to the owner", func(t *testing.T) {
		warm(t)
		const reads = 300
		before, answered := c.metric(t, here, "easel_actors_carried_total"), c.metric(t, here, answers)
		began := time.Now()
		for range reads {
			local(t, list)
		}
		// Once a second the room asks whether it is current, and now and then it renews
		// its lease; neither is for any one read.
		beats := 10 + 2*time.Since(began).Seconds()
		crossed := c.metric(t, here, "easel_actors_carried_total") - before
		if got := c.metric(t, here, answers) - answered; got < reads {
			t.Errorf("the copy answered %.0f of %d reads", got, reads)
		}
		if crossed > beats {
			t.Errorf("%.0f messages crossed for %d reads", crossed, reads)
		}
	})
	t.Run("with a version that it has reached", func(t *testing.T) {
		warm(t)
		for range 20 { // each read shows what was acknowledged to the reader elsewhere
			made := c.api(owner).must(t, http.StatusCreated, "POST", "/api/annotations", map[string]any{
				"image_id": row.ID, "label": "seen", "x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1,
			})
			got := near.must(t, http.StatusOK, "GET", list, nil, "X-Easel-Version", version(made))
			var shown struct{ Version int64 }
			if err := got.into(&shown); err != nil || !strings.HasSuffix(version(made), ":"+strconv.FormatInt(shown.Version, 10)) {
				t.Fatalf("%s after %s was acknowledged", version(got), version(made))
			}
		}
		epoch, ver, _ := strings.Cut(version(local(t, list)), ":")
		ahead, err := strconv.Atoi(ver)
		if err != nil {
			t.Fatal(err)
		}
		for what, asked := range map[string]string{
			"another epoch is the owner's": "0123:1", "what never comes is the owner's": epoch + ":" + strconv.Itoa(ahead+1),
		} {
			if got := near.must(t, http.StatusOK, "GET", list, nil, "X-Easel-Version", asked); version(got) != epoch+":"+ver {
				t.Errorf("%s: %s", what, version(got))
			}
		}
		near.refused(t, "invalid", "GET", list, nil, "X-Easel-Version", "none")
	})
	t.Run("to whom the owner would answer", func(t *testing.T) {
		warm(t)
		stranger := newAPI(c.nodes[here].base, token(t, c.dir, "--tenant=other", "--user=eve", "--role=owner", secretFlag()))
		stranger.refused(t, "not_found", "GET", list, nil, "X-Easel-Read", "local")
		newAPI(c.nodes[here].base, "").refused(t, "unauthorized", "GET", list, nil, "X-Easel-Read", "local")
		viewer := newAPI(c.nodes[here].base, token(t, c.dir, "--tenant=city", "--user=vi", "--role=viewer", secretFlag()))
		viewer.must(t, http.StatusOK, "GET", list, nil, "X-Easel-Read", "local")
		nobody := "/api/images/" + row.ID + "/annotations/" + strings.Repeat("0", 32)
		near.refused(t, "not_found", "GET", nobody, nil, "X-Easel-Read", "local")
		if got := c.api(bare).must(t, http.StatusOK, "GET", list, nil, "X-Easel-Read", "local"); got.header.Get("X-Easel-Age") != "0" {
			t.Errorf("a node without a copy answers with age %q", got.header.Get("X-Easel-Age"))
		}
	})
	t.Run("not once the image is deleted", func(t *testing.T) {
		warm(t)
		c.api(owner).must(t, http.StatusNoContent, "DELETE", "/api/images/"+row.ID, nil)
		eventually(t, "it is gone here", func() error {
			got, err := near.do(t.Context(), "GET", list, nil, "X-Easel-Read", "local")
			if err == nil && got.status != http.StatusGone {
				err = fmt.Errorf("%s", got)
			}
			return err
		})
		c.api(bare).must(t, http.StatusOK, "POST", "/api/images/"+row.ID+"/restore", nil)
		warm(t)
	})
	t.Run("not longer than five seconds after it is cut off", func(t *testing.T) {
		warm(t)
		for _, name := range []string{owner, bare} {
			if err := c.nodes[name].cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		}
		store.Down(true)
		cut := time.Now()
		answered := 0
		eventually(t, "the copy is too old", func() error {
			least := time.Since(cut)
			got, err := near.do(t.Context(), "GET", list, nil, "X-Easel-Read", "local")
			if err != nil {
				t.Fatal(err)
			}
			switch age, _ := strconv.Atoi(got.header.Get("X-Easel-Age")); {
			case got.status != http.StatusOK:
				if !strings.Contains(string(got.body), `"unavailable"`) {
					t.Fatalf("%s", got)
				}
				return nil
			case int64(age) < least.Milliseconds()-1, age > 5000:
				t.Fatalf("%d ms old, %s after the node was cut off", age, least)
			}
			answered++
			return fmt.Errorf("it answers")
		})
		if answered == 0 {
			t.Error("it answered nothing from the moment on: this test saw nothing")
		}
	})
}
