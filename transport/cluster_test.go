package transport_test

import (
	"context"
	"testing"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/transport"
)

// pair is a cluster of two; everything belongs on the other.
type pair struct{}

func (pair) Members(context.Context) []transport.Member {
	return []transport.Member{
		{Name: "n1", Region: "here", State: "ready", Version: "v1", Since: 1000, Load: &transport.Load{Owned: 2, Open: 1, Sockets: 3}},
		{Name: "n2", Region: "there", Zone: "2b", State: "draining", Version: "v2", Since: 2000},
	}
}

func (pair) Owner(actors.Key) string { return "n2" }

func TestAdminsSeeTheCluster(t *testing.T) {
	w := newWorld(t)
	boss := w.token("boss", "acme", easel.Admin)
	var got struct {
		Node, Owner string
		Members     []struct {
			Name, Region, Zone, State, Version, Since string
			Load                                      *struct{ Owned, Open, Sockets int }
		}
	}
	w.do(request{method: "GET", path: "/api/cluster", token: boss}).want(t, 200, &got)
	if got.Node != "n1" || got.Owner != "" || len(got.Members) != 2 {
		t.Fatalf("got %+v", got)
	}
	if m := got.Members[0]; m.Name != "n1" || m.Since != "1970-01-01T00:00:01.000Z" || m.Load == nil || m.Load.Sockets != 3 {
		t.Errorf("got %+v", m)
	}
	if m := got.Members[1]; m.State != "draining" || m.Zone != "2b" || m.Load != nil {
		t.Errorf("got %+v", m)
	}
	image := string(w.upload(boss).ID)
	w.do(request{method: "GET", path: "/api/cluster?image=" + image, token: boss}).want(t, 200, &got)
	if got.Owner != "n2" {
		t.Errorf("the image belongs on %q", got.Owner)
	}
	other := w.token("eve", "other", easel.Owner)
	w.do(request{method: "GET", path: "/api/cluster?image=" + image, token: other}).wantError(t, 404, easel.Code("not_found"))
	w.do(request{method: "GET", path: "/api/cluster?image=x", token: boss}).wantError(t, 422, easel.Code("invalid"))
	// Everyone owns a personal tenant.
	w.do(request{method: "GET", path: "/api/cluster", token: w.token("ann", "", easel.Owner)}).wantError(t, 403, easel.Code("forbidden"))
	w.do(request{method: "GET", path: "/api/cluster", token: w.token("ann", "acme", easel.Annotator)}).wantError(t, 403, easel.Code("forbidden"))
}
