package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/transport"
)

// torn serves an image whose store fails half-way, or at once.
type torn struct {
	transport.Pictures
	open func() (io.ReadCloser, error)
}

// Image implements transport.Pictures.
func (s torn) Image(context.Context, easel.Principal, easel.ID) (gallery.Content, error) {
	return gallery.Content{ContentType: "image/png", Size: 10, ETag: "t", Open: func(context.Context, blob.Range) (io.ReadCloser, error) {
		return s.open()
	}}, nil
}

// PresignImage implements transport.Pictures with a store that signs.
func (torn) PresignImage(_ context.Context, _ easel.Principal, id easel.ID, _ time.Duration) (string, bool, error) {
	return "https://bucket.example/" + string(id), true, nil
}

func TestContentThatIsCutOffEndsTheConnection(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("half"), failing{})
	w := newWorld(t, func(c *transport.Config) {
		c.Pictures = torn{open: func() (io.ReadCloser, error) { return io.NopCloser(broken), nil }}
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/api/images/"+string(easel.NewID())+"/file", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+w.token("ada", "", ""))
	res, err := w.server.Client().Do(req)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		must(t, res.Body.Close())
	}
	if err == nil {
		t.Error("half a file looks like a whole one")
	}
}

// failing is a store that broke.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk") }

func TestStoreThatCannotBeReached(t *testing.T) {
	for err, want := range map[error]struct {
		status int
		code   easel.Code
	}{
		blob.ErrUnavailable: {503, easel.CodeUnavailable},
		blob.ErrNotFound:    {404, easel.CodeNotFound},
		errors.New("disk"):  {500, easel.CodeInternal},
	} {
		w := newWorld(t, func(c *transport.Config) {
			c.Pictures = torn{open: func() (io.ReadCloser, error) { return nil, err }}
		})
		res := w.do(request{method: "GET", path: "/api/images/" + string(easel.NewID()) + "/file", token: w.token("ada", "", "")})
		res.wantError(t, want.status, want.code)
		if res.header.Get("ETag") != "" {
			t.Error("an error has the ETag of what was not sent")
		}
	}
}

func TestStoresOwnPresignedURLIsPassedOn(t *testing.T) {
	w := newWorld(t, func(c *transport.Config) { c.Pictures = torn{} })
	id := easel.NewID()
	var out struct{ URL string }
	w.do(request{method: "GET", path: "/api/images/" + string(id) + "/url", token: w.token("ada", "", "")}).want(t, 200, &out)
	if out.URL != "https://bucket.example/"+string(id) {
		t.Errorf("got %s", out.URL)
	}
}
