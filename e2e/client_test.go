package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// api speaks to a node over HTTP for one token. It may be used by many
// goroutines at once.
type api struct {
	base  string
	token string
	http  *http.Client
	seen  func(method, path string, got answer) // is shown every answer; nil: nobody is
	// patient: must asks again while the node says that it cannot tell now.
	patient bool
}

func newAPI(base, token string) *api {
	return &api{base: base, token: token, http: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
}

// answer is a whole response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %.300s", a.status, a.body) }

// into decodes the body.
func (a answer) into(v any) error {
	if err := json.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("%s: %w", a, err)
	}
	return nil
}

// do sends a request; header pairs follow the body. A body that is not an
// io.Reader or nil is sent as JSON. An error means that the outcome is unknown.
func (a *api) do(ctx context.Context, method, path string, body any, header ...string) (answer, error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case io.Reader:
		r = b
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return answer{}, err
		}
		r = bytes.NewReader(raw)
		header = append(header, "Content-Type", "application/json")
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, r)
	if err != nil {
		return answer{}, err
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := a.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	got := answer{res.StatusCode, res.Header, b}
	if a.seen != nil {
		a.seen(method, path, got)
	}
	return got, nil
}

// must is do for tests in which nothing may fail.
func (a *api) must(t *testing.T, want int, method, path string, body any, header ...string) answer {
	t.Helper()
	var got answer
	var err error
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		got, err = a.do(t.Context(), method, path, body, header...)
		if !a.patient || err == nil && got.status != http.StatusServiceUnavailable || time.Since(began) > patience {
			break
		}
	}
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if got.status != want {
		t.Fatalf("%s %s: got %s, want %d", method, path, got, want)
	}
	return got
}

// What the API says, as far as these tests look.
type (
	imageRow struct {
		ID     string `json:"id"`
		SHA256 string `json:"sha256"`
		Width  int    `json:"width"`
		Height int    `json:"height"`
	}
	box struct {
		ID    string  `json:"id"`
		Label string  `json:"label"`
		X     float64 `json:"x"`
		Y     float64 `json:"y"`
		W     float64 `json:"width"`
		H     float64 `json:"height"`
		By    string  `json:"created_by"`
		Rev   int64   `json:"rev"`
	}
	effect struct {
		K          string `json:"k"`
		ID         string `json:"id"`
		Annotation *box   `json:"annotation"`
	}
	batch struct {
		Ver int64    `json:"ver"`
		By  string   `json:"by"`
		Ops []effect `json:"ops"`
	}
	result struct {
		ID  string `json:"id"`
		Rev int64  `json:"rev"`
	}
	// frame is any frame of the server.
	frame struct {
		T           string          `json:"t"`
		Seq         int64           `json:"seq"`
		Ver         int64           `json:"ver"`
		By          string          `json:"by"`
		Code        string          `json:"code"`
		Message     string          `json:"message"`
		Temporary   bool            `json:"temporary"`
		Results     []result        `json:"results"`
		Ops         []effect        `json:"ops"`
		Annotations []box           `json:"annotations"`
		I           int             `json:"i"`
		Last        bool            `json:"last"`
		Epoch       string          `json:"epoch"`
		LastSeq     int64           `json:"last_seq"`
		Known       bool            `json:"known"`
		Recovered   bool            `json:"recovered"`
		Expected    int64           `json:"expected"`
		Conn        string          `json:"conn"`
		Text        string          `json:"text"`
		State       json.RawMessage `json:"state"`
	}
)

// picture returns a PNG of w by h pixels that differs by seed.
func picture(w, h int, seed byte) []byte {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{byte(x) ^ seed, byte(y), seed, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// form returns a multipart body with one image and its content type.
func form(filename string, content []byte) (io.Reader, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("image", filename)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return &b, w.FormDataContentType()
}

// upload stores a picture and returns its row.
func (a *api) upload(t *testing.T, filename string, content []byte) imageRow {
	t.Helper()
	body, contentType := form(filename, content)
	var out struct{ Image imageRow }
	if err := a.must(t, http.StatusCreated, "POST", "/api/images/upload", body, "Content-Type", contentType).into(&out); err != nil {
		t.Fatal(err)
	}
	return out.Image
}

// socket is one live connection.
type socket struct{ *websocket.Conn }

// dial opens a socket and says hello; the answer to that is the next frame.
func (a *api) dial(ctx context.Context, image, client string, since *frame) (socket, error) {
	d := websocket.Dialer{Subprotocols: []string{"easel.v1"}, HandshakeTimeout: patience}
	url := strings.Replace(a.base, "http", "ws", 1) + "/api/images/" + image + "/live"
	c, res, err := d.DialContext(ctx, url, http.Header{"Authorization": {"Bearer " + a.token}})
	if err != nil {
		if res != nil {
			return socket{}, fmt.Errorf("%w: %d", err, res.StatusCode)
		}
		return socket{}, err
	}
	s := socket{c}
	hello := map[string]any{"t": "hello", "client": client}
	if since != nil {
		hello["since"] = map[string]any{"epoch": since.Epoch, "ver": since.Ver}
	}
	return s, s.send(hello)
}

func (s socket) send(v any) error {
	if err := s.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return s.WriteJSON(v)
}

func (s socket) next() (frame, error) {
	if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return frame{}, err
	}
	var f frame
	err := s.ReadJSON(&f)
	return f, err
}

// until reads until a frame of type want that match (nil: any) accepts.
func (s socket) until(t *testing.T, want string, match func(frame) bool) frame {
	t.Helper()
	for {
		f, err := s.next()
		if err != nil {
			t.Fatalf("waiting for %s: %v", want, err)
		}
		if f.T == want && (match == nil || match(f)) {
			return f
		}
	}
}

// closeCode returns the code of a close error, 0 for any other error.
func closeCode(err error) int {
	if e, ok := errors.AsType[*websocket.CloseError](err); ok {
		return e.Code
	}
	return 0
}
