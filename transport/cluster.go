package transport

import (
	"context"
	"net/http"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/canvas"
)

// Cluster is what the nodes of a cluster know of each other.
type Cluster interface {
	// Members returns the nodes that are there, this one included, by name, with
	// the load of those that can be asked before ctx ends.
	Members(ctx context.Context) []Member
	// Owner returns the name of the node that an actor belongs on; "" for none.
	Owner(key actors.Key) string
}

// Member is one node of a cluster, as it is shown to admins: no addresses, as they
// are the operator's.
type Member struct {
	Name    string     `json:"name"`
	Region  string     `json:"region"`
	Zone    string     `json:"zone"`
	State   string     `json:"state" enum:"joining,ready,draining" doc:"A joining node owns nothing yet, a draining one nothing any more."`
	Version string     `json:"version"`
	Since   easel.Time `json:"since" doc:"When the node that answers saw it come."`
	Load    *Load      `json:"load" doc:"null if the node did not say in time."`
}

// Load is what a node does at the moment.
type Load struct {
	Owned   int `json:"owned" doc:"Actors that it owns."`
	Open    int `json:"open" doc:"Of those, with an open file."`
	Sockets int `json:"sockets" doc:"Live connections: WebSocket and SSE."`
}

type clusterAnswer struct {
	Node    string   `json:"node" doc:"The node that answers."`
	Members []Member `json:"members"`
	Owner   string   `json:"owner,omitempty" doc:"Of the image that was asked for."`
}

func clusterRoutes() []Route {
	return []Route{{
		Method: http.MethodGet, Path: "/api/cluster", Tag: "Node", Summary: "The nodes, and who owns an image",
		Doc:    "The answer is the view of the node that gives it. A node by itself is a cluster of one. Owners of personal tenants may not see it.",
		Access: Token, Role: easel.Admin,
		Params: []Param{{Name: "image", In: "query", Type: "string", Doc: "An image of the tenant, to say who owns it."}},
		Answer: jsonAnswer[clusterAnswer](http.StatusOK), Errors: []easel.Code{easel.CodeInvalid, easel.CodeNotFound, easel.CodeGone},
		serve: (*call).cluster,
	}}
}

func (c *call) cluster() error {
	// Everyone owns a personal tenant: that says nothing of who runs the nodes. A key
	// of which nobody knows the tenant's name may be one of those.
	if c.p.TenantName == "" || strings.HasPrefix(c.p.TenantName, auth.PersonalPrefix) {
		return easel.Errorf(easel.CodeForbidden, "the nodes are shown to admins of a team, not to the owner of a personal tenant")
	}
	out := clusterAnswer{Node: c.c.Node.Name}
	if id := c.r.URL.Query().Get("image"); id != "" {
		image := easel.ID(id)
		if !image.Valid() {
			return easel.Invalid("image", "must be 32 lower-case hex characters")
		}
		if _, err := askImage[canvas.ImageReply](c, image, canvas.Look{}, actors.Once{}); err != nil {
			return err
		}
		out.Owner = c.c.Cluster.Owner(canvas.Key(c.p.Tenant, image))
	}
	out.Members = c.c.Cluster.Members(c.r.Context())
	return c.answer(out)
}
