package transport_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/transport"
)

// copies has no copy, and notes what is looked for.
type copies struct{ looked []looked }

type looked struct {
	Image actors.Key
	Since live.Position
	One   easel.ID
}

func (c *copies) Look(_ context.Context, image actors.Key, since live.Position, one easel.ID) live.View {
	c.looked = append(c.looked, looked{image, since, one})
	return live.View{}
}

// TestCopiesAreForThoseWhoAllowThem: only a request that says so is answered from a
// copy, and only of an image of its own tenant.
func TestCopiesAreForThoseWhoAllowThem(t *testing.T) {
	here := &copies{}
	w := newWorld(t, func(c *transport.Config) { c.Replicas = here })
	token := w.token("ann", "team", easel.Annotator)
	image := w.upload(token).ID
	box := w.draw(token, image, "box").ID
	list, one := "/api/annotations/by-image/"+string(image), "/api/images/"+string(image)+"/annotations/"+string(box)
	who, err := w.auth.Bearer(t.Context(), token)
	must(t, err)
	key := canvas.Key(who.Tenant, image)
	tests := []struct {
		name, path string
		header     map[string]string
		want       []looked
	}{
		{"a list as it is", list, nil, nil},
		{"one as it is", one, nil, nil},
		{"the past", list + "?at=0", map[string]string{"X-Easel-Read": "local"}, nil},
		{"a list of any copy", list, map[string]string{"X-Easel-Read": "local"}, []looked{{Image: key}}},
		{"one of any copy", one, map[string]string{"X-Easel-Read": "local"}, []looked{{Image: key, One: box}}},
		{"a list of a version", list, map[string]string{"X-Easel-Version": "e:0"}, []looked{{Image: key, Since: live.Position{Epoch: "e"}}}},
		{"the log", "/api/images/" + string(image) + "/ops", map[string]string{"X-Easel-Read": "local"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			here.looked = nil
			w.do(request{"GET", tt.path, token, "", tt.header}).want(t, 200, nil)
			if diff := cmp.Diff(tt.want, here.looked); diff != "" {
				t.Errorf("copies looked for (-want +got):\n%s", diff)
			}
		})
	}
}
