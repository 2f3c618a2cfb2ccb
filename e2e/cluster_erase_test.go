package e2e_test

import (
	"net/http"
	"testing"
)

// TestClusterErasesAtOnce: once a tenant's erasure is answered, no node lets anybody
// of it in, whichever was asked, and all its sockets are closed.
func TestClusterErasesAtOnce(t *testing.T) {
	t.Parallel()
	c := newCity(t, 3).up(t)
	owner := token(t, c.dir, "--tenant=doomed", "--user=ada", "--role=owner", secretFlag())
	at := func(i int) *api { return newAPI(c.nodes[c.name(i)].base, owner) }
	row := at(0).upload(t, "a.png", picture(8, 8, 1))
	var sockets []socket
	for i := range c.seeds {
		s, _ := at(i).join(t, row.ID, c.name(i))
		sockets = append(sockets, s)
	}

	at(1).must(t, http.StatusAccepted, "DELETE", "/api/tenant", raw(`{"confirm":"doomed"}`))
	for i := range c.seeds {
		for _, path := range []string{"/api/me", "/api/images", "/api/images/" + row.ID} {
			at(i).refused(t, "gone", "GET", path, nil)
		}
		at(i).refused(t, "gone", "POST", "/api/annotations", raw(drawing(row.ID, "cat", "")))
	}
	for i, s := range sockets {
		if code := closeCode(ending(s)); code != 4404 {
			t.Errorf("the socket on %s was closed with %d", c.name(i), code)
		}
	}
}
