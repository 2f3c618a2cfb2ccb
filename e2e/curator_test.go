package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"
)

// What is known of whether an image is deleted.
const (
	here     = "here"
	gone     = "gone"
	undecide = "asked, not answered"
)

// curator uploads images, deletes them and takes them back, and looks at the
// list of all.
type curator struct {
	count  int
	images map[string]*kept // acknowledged uploads
	order  []string         // their ids
	listed map[string]bool  // images that a list has shown and that were not yet opened
	opened map[string]bool
	broken error
}

// kept is an acknowledged upload.
type kept struct {
	sum     string
	width   int
	state   string
	changed bool // since the last check
}

func (c *curator) work(ctx context.Context, a *api, stop <-chan struct{}, r *rand.Rand) {
	for !stopped(stop) && c.broken == nil {
		var err error
		switch n := r.IntN(4); {
		case n == 0 || len(c.order) == 0:
			err = c.upload(ctx, a, r)
		case n == 1:
			err = c.list(ctx, a, func(id string) { c.listed[id] = true })
		default:
			err = c.flip(ctx, a, c.order[r.IntN(len(c.order))])
		}
		if err != nil {
			return // the node is away
		}
	}
}

func (c *curator) upload(ctx context.Context, a *api, r *rand.Rand) error {
	c.count++
	k := &kept{width: 20 + r.IntN(100), state: here, changed: true}
	content := picture(k.width, 25, byte(r.IntN(256)))
	k.sum = sha256Hex(content)
	body, contentType := form(fmt.Sprintf("kept-%d.png", c.count), content)
	got, err := a.do(ctx, "POST", "/api/images/upload", body, "Content-Type", contentType)
	if err != nil || !decided(got.status) {
		return err
	}
	var out struct{ Image imageRow }
	if got.status != http.StatusCreated || got.into(&out) != nil || out.Image.SHA256 != k.sum {
		c.broken = fmt.Errorf("upload: %s", got)
		return nil
	}
	c.images[out.Image.ID] = k
	c.order = append(c.order, out.Image.ID)
	return nil
}

// flip deletes an image or takes it back.
func (c *curator) flip(ctx context.Context, a *api, id string) error {
	k := c.images[id]
	method, path, want, next := "DELETE", "/api/images/"+id, http.StatusNoContent, gone
	if k.state == gone {
		method, path, want, next = "POST", path+"/restore", http.StatusOK, here
	}
	k.state, k.changed = undecide, true
	got, err := a.do(ctx, method, path, nil)
	switch {
	case err != nil:
		return err
	case got.status == want:
		k.state = next
	case decided(got.status):
		c.broken = fmt.Errorf("%s %s: %s", method, path, got)
	}
	return nil
}

// list calls each for every image in the list.
func (c *curator) list(ctx context.Context, a *api, each func(id string)) error {
	path := "/api/images?limit=1000"
	for {
		got, err := a.do(ctx, "GET", path, nil)
		if err != nil || !decided(got.status) {
			return err
		}
		var page struct {
			Images []imageRow
			Next   string `json:"next_cursor"`
		}
		if got.status != http.StatusOK || got.into(&page) != nil {
			c.broken = fmt.Errorf("list: %s", got)
			return nil
		}
		for _, i := range page.Images {
			each(i.ID)
		}
		if page.Next == "" {
			return nil
		}
		path = "/api/images?limit=1000&cursor=" + url.QueryEscape(page.Next)
	}
}

// check opens what has changed: deletions hold, files are whole, and dimensions
// are read even if the node died before it could.
func (c *curator) check(t *testing.T, a *api, when string) {
	t.Helper()
	if c.broken != nil {
		t.Fatalf("%s: curator: %v", when, c.broken)
	}
	for id, k := range c.images {
		if !k.changed {
			continue
		}
		k.changed = false
		got, err := a.do(t.Context(), "GET", "/api/images/"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		found := map[int]string{http.StatusOK: here, http.StatusGone: gone}[got.status]
		if found == "" || k.state != undecide && k.state != found {
			t.Errorf("%s: image %s is %s: %s", when, id, k.state, got)
			continue
		}
		if k.state = found; found == gone {
			continue
		}
		if sum := sha256Hex(a.must(t, http.StatusOK, "GET", "/api/images/"+id+"/file", nil).body); sum != k.sum {
			t.Errorf("%s: image %s has the sum %s, was acknowledged with %s", when, id, sum, k.sum)
		}
		eventually(t, when+": the dimensions are read", func() error {
			var out struct{ Image imageRow }
			if err := a.must(t, http.StatusOK, "GET", "/api/images/"+id, nil).into(&out); err != nil {
				return err
			}
			if out.Image.Width != k.width || out.Image.Height != 25 {
				return fmt.Errorf("image %s is %d by %d, not %d by 25", id, out.Image.Width, out.Image.Height, k.width)
			}
			return nil
		})
	}
	eventually(t, when+": the list is what was acknowledged", func() error {
		now := map[string]bool{}
		if err := c.list(t.Context(), a, func(id string) { now[id] = true }); err != nil {
			return err
		}
		for id, k := range c.images {
			if now[id] != (k.state == here) {
				return fmt.Errorf("image %s is %s, listed: %v", id, k.state, now[id])
			}
		}
		for id := range now {
			c.listed[id] = true
		}
		return nil
	})
	// What a list shows can be opened, also if its upload was never answered.
	for id := range c.listed {
		if !c.opened[id] && c.images[id] == nil {
			a.must(t, http.StatusOK, "GET", "/api/images/"+id+"/file", nil)
		}
		c.opened[id] = true
	}
	clear(c.listed)
}
