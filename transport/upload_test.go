package transport_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/transport"
)

func TestUploadNames(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "", "")
	long := strings.Repeat("é", 200) + ".png"
	tests := map[string]string{
		"cat.png":                "cat.png",
		"../../etc/passwd.png":   "passwd.png",
		`C:\\Users\\ada\\me.png`: "me.png",
		"a/b/c.png":              "c.png",
		"..":                     "image",
		"":                       "image",
		"   ":                    "image",
		"CON":                    "CON",
		"photo.png.svg":          "photo.png.svg",
		"日本.png":                 "日本.png",
	}
	up := func(name string) easel.Image {
		body, ct := form(t, "image", name, picture(t, 2, 2, 1))
		var out imageBody
		w.do(request{"POST", "/api/images/upload", ada, body, map[string]string{"Content-Type": ct}}).want(t, 201, &out)
		return out.Image
	}
	for name, want := range tests {
		if got := up(name).Filename; got != want {
			t.Errorf("%q is kept as %q, want %q", name, got, want)
		}
	}
	// A name can also come percent-encoded, with any byte in it.
	for encoded, want := range map[string]string{"a%00b%1f.png": "ab.png", "..%2F..%5Cx.png": "x.png", "%e2%82%ac.png": "€.png"} {
		body, ct := form(t, "image", "PLAIN", picture(t, 2, 2, 1))
		body = strings.Replace(body, `filename="PLAIN"`, `filename*=UTF-8''`+encoded, 1)
		var out imageBody
		w.do(request{"POST", "/api/images/upload", ada, body, map[string]string{"Content-Type": ct}}).want(t, 201, &out)
		if out.Image.Filename != want {
			t.Errorf("%s is kept as %q, want %q", encoded, out.Image.Filename, want)
		}
	}
	got := up(long).Filename
	if len(got) > 255 || !strings.HasSuffix(got, ".png") || !utf8.ValidString(got) || len(got) < 250 {
		t.Errorf("a long name is kept as %d bytes %q", len(got), got)
	}
}

func TestUploadsThatAreNone(t *testing.T) {
	w := newWorld(t)
	ada := w.token("ada", "", "")
	pic := picture(t, 2, 2, 1)
	good, ct := form(t, "image", "a.png", pic)
	other, otherType := form(t, "file", "a.png", pic)
	text, textType := form(t, "image", "a.png", []byte("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))
	none, noneType := form(t, "image", "a.png", nil)
	big, bigType := form(t, "image", "a.png", append(pic, make([]byte, 1<<20)...))
	huge, hugeType := form(t, "image", "a.png", append(pic, make([]byte, 3<<20)...))
	parts := func(n int, file bool, size int) (string, string) {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for i := range n {
			must(t, m.WriteField(fmt.Sprintf("f%d", i), strings.Repeat("x", size)))
		}
		if file {
			p, err := m.CreateFormFile("image", "a.png")
			must(t, err)
			_, err = p.Write(pic)
			must(t, err)
		}
		must(t, m.Close())
		return b.String(), m.FormDataContentType()
	}
	boundary := ct[strings.Index(ct, "=")+1:]
	few, fewType := parts(3, true, 100)
	many, manyType := parts(10_000, true, 1)
	fat, fatType := parts(1, true, 70_000)
	tests := []struct {
		name, body, kind string
		status           int
		code             easel.Code
	}{
		{"good", good, ct, 201, ""},
		{"small fields before", few, fewType, 201, ""},
		{"JSON", `{"image":1}`, "application/json", 415, easel.CodeUnsupportedMedia},
		{"no type", good, "", 415, easel.CodeUnsupportedMedia},
		{"no boundary", good, "multipart/form-data", 400, easel.CodeBadRequest},
		{"other boundary", good, "multipart/form-data; boundary=zzz", 400, easel.CodeBadRequest},
		{"other field", other, otherType, 422, easel.CodeInvalid},
		{"no parts", "--" + boundary + "--\r\n", ct, 422, easel.CodeInvalid},
		{"SVG", text, textType, 415, easel.CodeUnsupportedMedia},
		{"no bytes", none, noneType, 422, easel.CodeInvalid},
		{"cut off", good[:len(good)-20], ct, 400, easel.CodeBadRequest},
		{"cut off in the file", good[:strings.Index(good, "PNG")+20], ct, 400, easel.CodeBadRequest},
		{"over the limit", big, bigType, 413, easel.CodeTooLarge},
		{"far over the limit", huge, hugeType, 413, easel.CodeTooLarge},
		{"ten thousand parts", many, manyType, 422, easel.CodeInvalid},
		{"a fat field", fat, fatType, 413, easel.CodeTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := w.do(request{"POST", "/api/images/upload", ada, tt.body, map[string]string{"Content-Type": tt.kind}})
			if tt.code == "" {
				res.want(t, tt.status, nil)
				return
			}
			res.wantError(t, tt.status, tt.code)
		})
	}
	w.do(request{method: "POST", path: "/api/images/upload", token: ada}).wantError(t, 415, easel.CodeUnsupportedMedia)
}

func TestSecondFileInAnUploadIsInvalid(t *testing.T) {
	w := newWorld(t)
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for range 2 {
		p, err := m.CreateFormFile("image", "a.png")
		must(t, err)
		_, err = p.Write(picture(t, 2, 2, 1))
		must(t, err)
	}
	must(t, m.Close())
	res := w.do(request{"POST", "/api/images/upload", w.token("ada", "", ""), b.String(), map[string]string{"Content-Type": m.FormDataContentType()}})
	res.wantError(t, 422, easel.CodeInvalid)
	var list struct{ Images []easel.Image }
	w.do(request{method: "GET", path: "/api/images", token: w.token("ada", "", "")}).want(t, 200, &list)
	if len(list.Images) != 0 {
		t.Errorf("half an upload is listed: %+v", list.Images)
	}
}

// sink takes uploads and throws them away.
type sink struct {
	transport.Images
	read int64
}

// Upload implements transport.Images.
func (s *sink) Upload(_ context.Context, _ easel.Principal, u gallery.Upload) (easel.Image, error) {
	n, err := io.Copy(io.Discard, u.Body)
	s.read = n
	return easel.Image{ID: easel.NewID(), Filename: u.Filename}, err
}

func TestUploadIsNeverHeldWhole(t *testing.T) {
	s := &sink{}
	const size = 256 << 20
	w := newWorld(t, func(c *transport.Config) { c.Images, c.Limits.Upload = s, size })
	body, ct := form(t, "image", "a.png", nil)
	i := strings.Index(body, "\r\n\r\n") + 4
	stream := io.MultiReader(strings.NewReader(body[:i]), io.LimitReader(zeros{}, size), strings.NewReader(body[i:]))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/api/images/upload", stream)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+w.token("ada", "", ""))
	req.Header.Set("Content-Type", ct)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	res, err := w.server.Client().Do(req)
	must(t, err)
	must(t, res.Body.Close())
	runtime.ReadMemStats(&after)
	if res.StatusCode != 201 || s.read != size {
		t.Fatalf("status %d after %d bytes", res.StatusCode, s.read)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("%d bytes were allocated for an upload of %d", grown, size)
	}
}

// zeros is an endless file.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestBodyMayBeLongButNeitherStallNorDrip(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	for _, tt := range []struct {
		name  string
		after time.Duration // since the body began
		read  int64
		want  time.Duration // for the next bytes
	}{
		{"at first", 0, 0, 30 * time.Second},
		{"a byte every 20 s", 20 * time.Second, 1, 10 * time.Second},
		{"a byte every 20 s, later", 40 * time.Second, 2, -10 * time.Second},
		{"a modem", 1000 * time.Second, 5000 << 10, 30 * time.Second},
		{"fast", time.Second, 1 << 30, 30 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := start.Add(tt.after)
			if got := transport.Patience(start, now, tt.read).Sub(now); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
