package transport_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/transport"
)

// roles is every role, from the least.
var roles = []easel.Role{easel.Viewer, easel.Annotator, easel.Reviewer, easel.Admin, easel.Owner}

// stage is what the matrix's requests are about: one image with one annotation,
// one file and one value, all of team "own".
type stage struct{ image, annotation, own string }

// sample makes a request of the route that its role allows on the stage. A route
// that it does not know fails the test, so that a new one cannot be forgotten.
func (s stage) sample(t *testing.T, r transport.Route) request {
	t.Helper()
	bodies := map[string]string{
		"POST /api/annotations":                             box(easel.ID(s.image), "a"),
		"POST /api/annotations/bulk":                        `{"annotations":[` + box(easel.ID(s.image), "a") + `]}`,
		"POST /api/tickets":                                 `{"image_id":"` + s.image + `"}`,
		"POST /api/keys":                                    `{"name":"k","role":"viewer"}`,
		"POST /api/images/{id}/ops":                         `{"client":"c","seq":1,"ops":[{"k":"put","annotation":{"label":"a","x":0,"y":0,"width":1,"height":1}}]}`,
		"POST /api/images/{id}/predictions/accept":          `{"min_confidence":0.5}`,
		"POST /api/images/{id}/predictions/reject":          `{"min_confidence":0.5}`,
		"POST /api/images/{id}/revert":                      `{"version":0}`,
		"POST /api/images/{id}/messages":                    `{"text":"hi"}`,
		"PATCH /api/images/{id}":                            `{"metadata":{}}`,
		"PATCH /api/images/{id}/annotations/{annotationId}": `{"label":"b"}`,
		"DELETE /api/tenant":                                `{"confirm":"own"}`,
		"PUT /api/schema":                                   `{"labels":[{"name":"a"}]}`,
		"PUT /api/files/{name...}":                          "content",
		"PUT /api/kv/{key...}":                              "value",
	}
	out := request{method: r.Method, path: r.Path, body: bodies[r.Pattern()], header: map[string]string{}}
	if r.Pattern() == "POST /api/images/upload" {
		out.body, out.header["Content-Type"] = form(t, "image", "a.png", picture(t, 2, 2, 9))
	}
	if r.Body.Media != "" && out.body == "" {
		t.Fatalf("no sample body for %s", r.Pattern())
	}
	user := "nobody"
	if r.Method == http.MethodGet {
		user = "keeper"
	}
	for name, value := range map[string]string{
		"{imageId}": s.image, "{annotationId}": s.annotation, "{name...}": s.own, "{key...}": s.own, "{id...}": user,
		"{tenant}": s.image, "{image}": s.image, "{level}": "12", "{tile}": "4_0",
	} {
		out.path = strings.ReplaceAll(out.path, name, value)
	}
	if strings.HasPrefix(r.Path, "/api/keys/") {
		out.path = strings.ReplaceAll(out.path, "{id}", string(easel.NewID()))
	}
	out.path = strings.ReplaceAll(out.path, "{id}", s.image)
	if strings.Contains(out.path, "{") {
		t.Fatalf("no sample for the parameters of %s", r.Pattern())
	}
	return out
}

// TestEveryRouteForEveryRoleAndTenant makes every request of the route table as
// every role of the image's tenant and of another one.
func TestEveryRouteForEveryRoleAndTenant(t *testing.T) {
	w := newWorld(t)
	for _, route := range transport.Routes() {
		if route.Access == transport.Open || route.Access == transport.Signed {
			continue
		}
		t.Run(route.Pattern(), func(t *testing.T) {
			if !route.Role.Valid() {
				t.Fatal("the route has no least role")
			}
			for _, role := range roles {
				// The same user in every role, so that what is one's own stays so; a fresh
				// stage, because the requests change it.
				user := w.token("actor", "own", role)
				draws := w.token("actor", "own", easel.Owner)
				s := stage{own: "u/YWN0b3I/x"} // base64url of actor
				img := w.upload(draws)
				if strings.Contains(route.Path, "/{tile}") {
					img = w.uploadTiled(draws)
				}
				s.image, s.annotation = string(img.ID), string(w.draw(draws, img.ID, "a").ID)
				for _, path := range []string{"/api/files/", "/api/kv/"} {
					w.do(request{method: "PUT", path: path + s.own, token: draws, body: "x"}).want(t, 200, nil)
				}
				w.do(request{method: "GET", path: "/api/me", token: w.token("keeper", "own", easel.Viewer)}).want(t, 200, nil)

				req := s.sample(t, route)
				got := w.do(req)
				if got.status != 401 {
					t.Errorf("without a token: %d %s", got.status, got.body)
				}
				req.token = "x.y.z"
				if got := w.do(req); got.status != 401 {
					t.Errorf("with a bad token: %d %s", got.status, got.body)
				}
				foreign := req
				foreign.token = w.token("actor", "foreign", role)
				theirs := w.do(foreign)
				absent := stage{image: string(easel.NewID()), annotation: string(easel.NewID()), own: s.own}.sample(t, route)
				absent.token = foreign.token
				nothing := w.do(absent)
				req.token = user
				ours := w.do(req)

				may := role.AtLeast(route.Role)
				switch {
				case !may && (ours.status != 403 || theirs.status != 403):
					t.Errorf("%s: got %d and %d, want 403: %s", role, ours.status, theirs.status, ours.body)
				case may && (ours.status < 200 || ours.status > 299) && !(ours.status == 404 && strings.HasPrefix(req.path, "/api/keys/")):
					t.Errorf("%s: got %d %s", role, ours.status, ours.body)
				case may && strings.Contains(req.path+req.body, s.image):
					theirs.wantError(t, 404, easel.CodeNotFound)
					if hide(theirs) != hide(nothing) {
						t.Errorf("%s: another tenant's image is told from none:\n%s\n%s", role, theirs.body, nothing.body)
					}
				}
			}
		})
	}
}

// hide removes what differs in any two answers.
func hide(r reply) string {
	return strings.ReplaceAll(r.body, r.header.Get("X-Request-Id"), "")
}

func TestAnnotatorsKeepToTheirOwnImagesAndNames(t *testing.T) {
	w := newWorld(t)
	ada, eve, boss := w.token("ada", "own", easel.Annotator), w.token("eve", "own", easel.Reviewer), w.token("boss", "own", easel.Admin)
	img := w.upload(ada)
	path := "/api/images/" + string(img.ID)
	w.do(request{method: "DELETE", path: path, token: eve}).wantError(t, 403, easel.CodeForbidden)
	w.do(request{method: "DELETE", path: path, token: boss}).want(t, 204, nil)
	w.do(request{method: "POST", path: path + "/restore", token: eve}).wantError(t, 403, easel.CodeForbidden)
	w.do(request{method: "POST", path: path + "/restore", token: ada}).want(t, 200, nil)
	for _, p := range []string{"/api/files/x", "/api/kv/x", "/api/kv/u/YWRh", "/api/kv/u/ZXZl/x"} {
		w.do(request{method: "PUT", path: p, token: ada, body: "x"}).wantError(t, 403, easel.CodeForbidden)
		w.do(request{method: "PUT", path: p, token: boss, body: "x"}).want(t, 200, nil)
	}
	w.do(request{method: "PUT", path: "/api/kv/u/YWRh/x", token: ada, body: "x"}).want(t, 200, nil)
}
