package e2e_test

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// jpegOf returns a JPEG of w by h; orientation 1 to 8 is told by EXIF, 0 is not.
func jpegOf(w, h, orientation int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		panic(err)
	}
	if orientation == 0 {
		return b.Bytes()
	}
	exif := append([]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), byte(orientation), 0, 0, 0, 0, 0, 0)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	return append(out, b.Bytes()[2:]...)
}

func gifOf(w, h int) []byte {
	var b bytes.Buffer
	if err := gif.Encode(&b, image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.Black, color.White}), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// be32 appends v, highest byte first.
func be32(b []byte, v uint32) []byte { return append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v)) }

// bomb returns a small PNG that says it is w by h and is all one colour.
func bomb(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		b = be32(b, uint32(len(data)))
		from := len(b)
		b = append(append(b, kind...), data...)
		b = be32(b, crc32.ChecksumIEEE(b[from:]))
	}
	head := be32(nil, w)
	head = be32(head, h)
	chunk("IHDR", append(head, 8, 2, 0, 0, 0))
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	_, _ = zw.Write(make([]byte, 1<<20))
	_ = zw.Close()
	chunk("IDAT", z.Bytes())
	chunk("IEND", nil)
	return b
}

// TestContractUploads: every format, and every file that is not what it says.
func TestContractUploads(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	webp, err := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	png := picture(20, 10, 3)
	for name, c := range map[string]struct {
		content       []byte
		contentType   string
		width, height int
	}{
		"png":        {png, "image/png", 20, 10},
		"jpeg":       {jpegOf(30, 20, 0), "image/jpeg", 30, 20},
		"jpeg, EXIF": {jpegOf(30, 20, 6), "image/jpeg", 20, 30},
		"gif":        {gifOf(12, 7), "image/gif", 12, 7},
		"webp":       {webp, "image/webp", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row := ada.upload(t, "lying.txt", c.content)
			sum := sha256.Sum256(c.content)
			if row.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("sha256 %s", row.SHA256)
			}
			path := "/api/images/" + row.ID
			eventually(t, "dimensions", func() error {
				got := ada.must(t, 200, "GET", path, nil)
				if !strings.Contains(string(got.body), fmt.Sprintf(`"width":%d,"height":%d`, c.width, c.height)) || string(member(t, got.body, "image", "content_type")) != `"`+c.contentType+`"` {
					return fmt.Errorf("%s", got)
				}
				return nil
			})
			file := ada.must(t, 200, "GET", path+"/file", nil)
			if !bytes.Equal(file.body, c.content) || file.header.Get("Content-Type") != c.contentType {
				t.Errorf("%d bytes of %s", len(file.body), file.header.Get("Content-Type"))
			}
			thumbnail := ada.must(t, 200, "GET", path+"/thumbnail", nil)
			if !strings.HasPrefix(thumbnail.header.Get("Content-Type"), "image/") {
				t.Errorf("a thumbnail of %s", thumbnail.header.Get("Content-Type"))
			}
			if m, _, err := image.DecodeConfig(bytes.NewReader(thumbnail.body)); err == nil && (m.Width > m.Height) != (c.width > c.height) {
				t.Errorf("the thumbnail is %d by %d, the image %d by %d", m.Width, m.Height, c.width, c.height)
			}
		})
	}
	svg := []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)
	for name, c := range map[string]struct {
		content []byte
		codes   string
	}{
		"svg":             {svg, "unsupported_media"},
		"svg with space":  {append([]byte(" \n\ufeff"), svg...), "unsupported_media"},
		"html":            {[]byte("<!doctype html><script>alert(1)</script>"), "unsupported_media"},
		"text":            {[]byte("hello"), "unsupported_media"},
		"pdf":             {[]byte("%PDF-1.7\n"), "unsupported_media"},
		"empty":           {nil, "invalid unsupported_media"},
		"cut png":         {png[:len(png)/2], "invalid unsupported_media bad_request"},
		"cut jpeg":        {jpegOf(300, 200, 0)[:300], "invalid unsupported_media bad_request"},
		"magic only":      {png[:8], "invalid unsupported_media bad_request"},
		"bomb":            {bomb(60000, 60000), "invalid too_large unsupported_media"},
		"huge dimensions": {bomb(1<<31-1, 1<<31-1), "invalid too_large unsupported_media"},
		"zero dimensions": {bomb(0, 0), "invalid unsupported_media"},
		"over 10 MiB":     {append(bytes.Clone(png), make([]byte, 10<<20)...), "too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, contentType := form("x.png", c.content)
			got, err := ada.do(t.Context(), "POST", "/api/images/upload", body, "Content-Type", contentType)
			if err != nil {
				t.Fatal(err)
			}
			var p problem
			if err := got.into(&p); err != nil || !strings.Contains(" "+c.codes+" ", " "+p.Error+" ") {
				t.Fatalf("got %s, want %s", got, c.codes)
			}
			got.fails(t, statusOf[p.Error], p.Error)
		})
	}
	custom := func(t *testing.T, build func(m *multipart.Writer)) answer {
		t.Helper()
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		build(m)
		got, err := ada.do(t.Context(), "POST", "/api/images/upload", &b, "Content-Type", m.FormDataContentType())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	part := func(m *multipart.Writer, disposition string, content []byte) {
		p, err := m.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {"image/svg+xml"}})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = p.Write(content)
	}
	t.Run("forms", func(t *testing.T) {
		t.Parallel()
		custom(t, func(m *multipart.Writer) { part(m, `form-data; name="file"; filename="a.png"`, png); _ = m.Close() }).fails(t, 422, "invalid")
		custom(t, func(m *multipart.Writer) { _ = m.Close() }).fails(t, 422, "invalid")
		custom(t, func(m *multipart.Writer) { part(m, `form-data; name="image"; filename="a.png"`, png) }).fails(t, 400, "bad_request") // no end
		got := custom(t, func(m *multipart.Writer) {
			_ = m.WriteField("note", "x")
			part(m, `form-data; name="image"; filename="../../etc/pass wd.png"`, png)
			_ = m.WriteField("after", "x")
			_ = m.Close()
		})
		if got.status != 201 || string(member(t, got.body, "image", "filename")) != `"pass wd.png"` || string(member(t, got.body, "image", "content_type")) != `"image/png"` {
			t.Errorf("%s", got)
		}
		got = custom(t, func(m *multipart.Writer) {
			part(m, `form-data; name="image"; filename="`+strings.Repeat("ü", 200)+`.png"`, png)
			_ = m.Close()
		})
		var named struct{ Image struct{ Filename string } }
		if got.status == 201 && got.into(&named) == nil && len(named.Image.Filename) > 255 || got.status != 201 && got.status != 422 {
			t.Errorf("a long name: %s", got)
		}
		ada.text(t, "POST", "/api/images/upload", string(png), "Content-Type", "image/png").fails(t, 415, "unsupported_media")
		ada.text(t, "POST", "/api/images/upload", "{}").fails(t, 415, "unsupported_media")
		if got := ada.text(t, "POST", "/api/images/upload", "x", "Content-Type", "multipart/form-data"); got.status != 400 {
			t.Errorf("no boundary: %s", got)
		}
	})
	t.Run("slowly", func(t *testing.T) {
		t.Parallel()
		body, contentType := form("slow.png", png)
		b, _ := io.ReadAll(body)
		r, write := io.Pipe()
		go func() {
			for chunk := range (len(b) + 99) / 100 {
				time.Sleep(20 * time.Millisecond)
				_, _ = write.Write(b[chunk*100 : min(len(b), chunk*100+100)])
			}
			write.Close()
		}()
		ada.must(t, 201, "POST", "/api/images/upload", r, "Content-Type", contentType)
	})
	t.Run("refused to who sends before reading", func(t *testing.T) {
		t.Parallel()
		for header, status := range map[string]string{ada.token: " 413 ", "x": " 401 "} {
			c, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(patience))
			fmt.Fprintf(c, "POST /api/images/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n", header, 20<<20)
			if _, err := c.Write(make([]byte, 20<<20)); err != nil {
				t.Fatal(err)
			}
			if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, status) {
				t.Errorf("%q, %v, want%s", line, err, status)
			}
		}
	})
	t.Run("cut off", func(t *testing.T) {
		t.Parallel()
		c, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "POST /api/images/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"cutoff.png\"\r\n\r\n", ada.token)
		_, _ = c.Write(png[:50])
		c.Close()
		if got := ada.must(t, 200, "GET", "/api/images?filename=cutoff", nil); !strings.Contains(string(got.body), `"images":[]`) {
			t.Errorf("%s", got)
		}
	})
}
