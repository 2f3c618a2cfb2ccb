package e2e_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/easelhq/easel/blob/blobtest"
	"github.com/easelhq/easel/internal/freeport"
)

// TestClusterIsOneService: what one node gives out or takes away holds on all.
func TestClusterIsOneService(t *testing.T) {
	t.Parallel()
	c := newCity(t, 3).up(t)
	content := picture(40, 30, 1)
	row := c.api("n1").upload(t, "one.png", content)

	t.Run("a ticket opens on every node", func(t *testing.T) {
		var made struct{ Ticket string }
		if err := c.api("n1").must(t, http.StatusCreated, "POST", "/api/tickets", map[string]any{"image_id": row.ID}).into(&made); err != nil {
			t.Fatal(err)
		}
		for name, n := range c.nodes {
			got := newAPI(n.base, "").must(t, http.StatusOK, "GET", "/api/images/"+row.ID+"/file?ticket="+made.Ticket, nil)
			if string(got.body) != string(content) {
				t.Errorf("%s sent %d bytes", name, len(got.body))
			}
		}
	})
	t.Run("a URL that any node signs opens without a token", func(t *testing.T) {
		for name := range c.nodes {
			var signed struct{ URL string }
			if err := c.api(name).must(t, http.StatusOK, "GET", "/api/images/"+row.ID+"/url", nil).into(&signed); err != nil {
				t.Fatal(err)
			}
			status, _, body, err := blobtest.Fetch(t.Context(), signed.URL)
			if err != nil || status != http.StatusOK || string(body) != string(content) {
				t.Errorf("signed by %s: %d, %d bytes, %v", name, status, len(body), err)
			}
		}
	})
	t.Run("a client that says hello elsewhere leaves its older connection", func(t *testing.T) {
		older, err := c.api("n1").dial(t.Context(), row.ID, "twice", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer older.Close()
		older.until(t, "snap", func(f frame) bool { return f.Last })
		newer := drawOn(t, c.api("n2"), row.ID, "twice")
		if code := closeCode(ending(older)); code != 4409 {
			t.Errorf("the older connection ended with %d, not 4409", code)
		}
		newer.put(t)
		eventually(t, "the newer one works", func() error { return newer.settled(0) })
	})
	t.Run("a key revoked on one node ends its sockets on another", func(t *testing.T) {
		var made struct{ ID, Key string }
		body := map[string]any{"name": "robot", "role": "annotator"}
		if err := c.api("n1").must(t, http.StatusCreated, "POST", "/api/keys", body).into(&made); err != nil {
			t.Fatal(err)
		}
		robot := newAPI(c.nodes["n2"].base, made.Key)
		s, err := robot.dial(t.Context(), row.ID, "robot", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.until(t, "snap", func(f frame) bool { return f.Last })
		c.api("n3").must(t, http.StatusNoContent, "DELETE", "/api/keys/"+made.ID, nil)
		if code := closeCode(ending(s)); code != 4401 {
			t.Errorf("its socket ended with %d, not 4401", code)
		}
		eventually(t, "the key opens nothing", func() error {
			got, err := robot.do(t.Context(), "GET", "/api/me", nil)
			if err == nil && got.status != http.StatusUnauthorized {
				err = fmt.Errorf("%s", got)
			}
			return err
		})
	})
	t.Run("an image deleted on one node is gone on another's sockets", func(t *testing.T) {
		other := c.api("n1").upload(t, "two.png", picture(20, 20, 2))
		s, err := c.api("n2").dial(t.Context(), other.ID, "late", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.until(t, "snap", func(f frame) bool { return f.Last })
		c.api("n3").must(t, http.StatusNoContent, "DELETE", "/api/images/"+other.ID, nil)
		s.until(t, "image", nil) // with its deletion
		if err := s.send(map[string]any{"t": "op", "seq": 1, "ops": []any{map[string]any{
			"k": "put", "annotation": map[string]any{"label": "late", "x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1},
		}}}); err != nil {
			t.Fatal(err)
		}
		if f := s.until(t, "rej", nil); f.Code != "gone" {
			t.Errorf("an op is refused with %q, not gone", f.Code)
		}
		for name := range c.nodes {
			c.api(name).refused(t, "gone", "GET", "/api/images/"+other.ID, nil)
		}
	})
	t.Run("a name is taken once", func(t *testing.T) {
		n := launch(t, t.TempDir(), "--store="+c.store, secretFlag(), "--node=n1", "--region=r",
			"--cluster-bind="+freeport.Loopback(t), "--cluster-join="+strings.Join(c.seeds, ","), "--cluster-key="+c.key)
		code := n.wait(t)
		if line := n.stderr.String(); code != 2 || !strings.Contains(line, "another node has this name") {
			t.Errorf("exit code %d, want 2 and a reason:\n%s", code, line)
		}
		c.agree(t)
	})
	t.Run("without the key a node learns nothing", func(t *testing.T) {
		wrong := base64.StdEncoding.EncodeToString([]byte("fedcba9876543210fedcba9876543210"))
		n := launch(t, t.TempDir(), "--store="+c.store, secretFlag(), "--node=stranger", "--region=r",
			"--cluster-bind="+freeport.Loopback(t), "--cluster-join="+strings.Join(c.seeds, ","), "--cluster-key="+wrong)
		await(t, n)
		seen := c.api("n1").token
		var v clusterView
		if err := newAPI(n.base, seen).must(t, http.StatusOK, "GET", "/api/cluster", nil).into(&v); err != nil {
			t.Fatal(err)
		}
		if len(v.Members) != 1 || v.Members[0].Name != "stranger" {
			t.Errorf("it sees %+v", v.Members)
		}
		for _, name := range []string{"n1", "n2", "n3"} {
			if strings.Contains(n.stderr.String(), `"`+name+`"`) {
				t.Errorf("it has heard of %s:\n%s", name, n.stderr)
			}
		}
		c.agree(t)
		if code := n.stop(t); code != 0 {
			t.Errorf("it ended with %d", code)
		}
	})
}

// ending reads until a socket ends.
func ending(s socket) (err error) {
	for err == nil {
		_, err = s.next()
	}
	return err
}

// TestClusterGivesANewNodeItsShare adds a node to three: it owns a fair part of the
// images then, and serves them.
func TestClusterGivesANewNodeItsShare(t *testing.T) {
	t.Parallel()
	const images = 120
	c := newCity(t, 4)
	for i := range 3 {
		c.launch(t, i)
	}
	for i := range 3 {
		await(t, c.nodes[c.name(i)])
	}
	c.agree(t)
	ids := make([]string, images)
	var uploading sync.WaitGroup
	for w := range 4 {
		uploading.Go(func() {
			a := c.api(c.name(w % 3))
			for i := w; i < images; i += 4 {
				body, contentType := form("one.png", picture(8, 8, byte(i)))
				var out struct{ Image imageRow }
				got, err := a.do(t.Context(), "POST", "/api/images/upload", body, "Content-Type", contentType)
				if err == nil && got.status != http.StatusCreated {
					err = errors.New(got.String())
				}
				if err == nil {
					err = got.into(&out)
				}
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = out.Image.ID
			}
		})
	}
	uploading.Wait()
	if t.Failed() {
		return
	}
	before := map[string]string{}
	for _, id := range ids {
		before[id] = c.view(t, "n1", id).Owner
	}
	c.launch(t, 3)
	await(t, c.nodes["n4"])
	c.agree(t)
	share := map[string]int{}
	for i, id := range ids {
		owner := c.view(t, "n1", id).Owner
		share[owner]++
		if owner != before[id] && owner != "n4" {
			t.Errorf("an image moved from %s to %s when n4 came", before[id], owner)
		}
		if i%10 == 0 {
			c.api("n1").must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+id, nil)
		}
	}
	// Ids are random, and so are shares: five times the deviation of a fair draw does
	// not happen by chance. That shares are even over many is for the ring's tests.
	even := float64(images) / 4
	most := 5 * math.Sqrt(even*3/4)
	for i := range 4 {
		if n := share[c.name(i)]; math.Abs(float64(n)-even) > most {
			t.Errorf("%s owns %d of %d images: %v", c.name(i), n, images, share)
		}
	}
	t.Logf("shares: %v", share)
}
