package e2e_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"
	"time"
)

// tiling is the answer of GET /api/images/{id}/tiles.
type tiling struct {
	State    string `json:"state"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	TileSize int    `json:"tile_size"`
	Overlap  int    `json:"overlap"`
	MinLevel int    `json:"min_level"`
	MaxLevel int    `json:"max_level"`
}

// tiled waits for an image's tiles.
func (a *api) tiled(t *testing.T, id string) (out tiling) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		if err := a.must(t, http.StatusOK, "GET", "/api/images/"+id+"/tiles", nil).into(&out); err != nil {
			t.Fatal(err)
		}
		if out.State == "ready" {
			return out
		}
		if time.Now().After(end) {
			t.Fatalf("the tiles are %q", out.State)
		}
		select {
		case <-t.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// large returns a JPEG whose colours tell where one is in it.
func large(t *testing.T, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{byte(x * 255 / w), byte(y * 255 / h), 128, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestContractTiles: a large image is cut into tiles in the background, also when
// the process is killed first; a small one has none.
func TestContractTiles(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	w := site{start(t, data, "--jwt-secret="+signingSecret)}
	ada := w.as("acme", "ada", "")
	small := ada.upload(t, "a.png", picture(8, 8, 1))
	row := ada.upload(t, "large.jpg", large(t, 2600, 1500))
	w.kill() // what was to be made is made by the next process
	w = site{start(t, data, "--jwt-secret="+signingSecret)}
	ada = w.as("acme", "ada", "")

	path := "/api/images/" + row.ID + "/tiles"
	got := ada.tiled(t, row.ID)
	if want := (tiling{State: "ready", Width: 2600, Height: 1500, TileSize: 512, Overlap: 1, MinLevel: 9, MaxLevel: 12}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for level := got.MinLevel; level <= got.MaxLevel; level++ {
		half := 1 << (got.MaxLevel - level)
		lw, lh := (got.Width+half-1)/half, (got.Height+half-1)/half
		for y := 0; y*got.TileSize < lh; y++ {
			for x := 0; x*got.TileSize < lw; x++ {
				tile := ada.must(t, http.StatusOK, "GET", fmt.Sprintf("%s/%d/%d_%d", path, level, x, y), nil)
				m, _, err := image.Decode(bytes.NewReader(tile.body))
				if err != nil {
					t.Fatal(err)
				}
				at := image.Rect(x*512, y*512, (x+1)*512, (y+1)*512).Inset(-1).Intersect(image.Rect(0, 0, lw, lh))
				if m.Bounds().Size() != at.Size() {
					t.Errorf("%d/%d_%d has %v pixels, want %v", level, x, y, m.Bounds().Size(), at.Size())
				}
				r, g, _, _ := m.At(at.Dx()/2, at.Dy()/2).RGBA()
				wantR, wantG := (at.Min.X+at.Dx()/2)*255/lw, (at.Min.Y+at.Dy()/2)*255/lh
				if near(int(r>>8), wantR) && near(int(g>>8), wantG) {
					continue
				}
				t.Errorf("%d/%d_%d shows red %d, green %d, want %d, %d", level, x, y, r>>8, g>>8, wantR, wantG)
			}
		}
	}

	one := path + "/12/3_1"
	tile := ada.must(t, http.StatusOK, "GET", one, nil)
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "sandbox; default-src 'none'", "Accept-Ranges": "bytes",
	} {
		if got := tile.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := ada.text(t, "GET", one, "", "If-None-Match", tile.header.Get("ETag")); got.status != http.StatusNotModified {
		t.Errorf("If-None-Match: %s", got)
	}
	if got := ada.text(t, "GET", one, "", "Range", "bytes=10-19"); got.status != http.StatusPartialContent || !bytes.Equal(got.body, tile.body[10:20]) {
		t.Errorf("Range: %s", got)
	}
	for _, no := range []string{"8/0_0", "13/0_0", "12/6_0", "12/0_3", "12/-1_0", "12/00_0", "12/0", "12/0_0.jpg", "x/0_0", "12/0_99999999999999999999"} {
		ada.refused(t, "not_found", "GET", path+"/"+no, nil)
	}
	if got := ada.must(t, http.StatusOK, "GET", "/api/images/"+small.ID+"/tiles", nil); !strings.Contains(string(got.body), `"none"`) {
		t.Errorf("a small image: %s", got.body)
	}
	ada.refused(t, "not_found", "GET", "/api/images/"+small.ID+"/tiles/0/0_0", nil)
	w.as("other", "ada", "").refused(t, "not_found", "GET", one, nil)
	ticket := member(t, ada.must(t, http.StatusCreated, "POST", "/api/tickets", strings.NewReader(`{"image_id":"`+row.ID+`"}`)).body, "ticket")
	w.anonymous().must(t, http.StatusOK, "GET", one+"?ticket="+strings.Trim(string(ticket), `"`), nil)
	w.anonymous().refused(t, "unauthorized", "GET", one, nil)
	ada.must(t, http.StatusNoContent, "DELETE", "/api/images/"+row.ID, nil)
	ada.refused(t, "gone", "GET", path, nil)
	ada.refused(t, "gone", "GET", one, nil)
	ada.must(t, http.StatusOK, "POST", "/api/images/"+row.ID+"/restore", nil)
	ada.must(t, http.StatusOK, "GET", one, nil)
}

func near(a, b int) bool { return max(a-b, b-a) <= 6 }
