package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestContractFileHeaders: ETag, Range and the headers that make bytes harmless.
func TestContractFileHeaders(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	admin := w.as("acme", "ada", "admin")
	content := picture(60, 40, 5)
	row := admin.upload(t, "a.png", content)
	admin.must(t, 200, "PUT", "/api/files/f.png", bytes.NewReader(content), "Content-Type", "image/png")
	var signed struct{ URL string }
	if err := admin.must(t, 200, "GET", "/api/images/"+row.ID+"/url", nil).into(&signed); err != nil {
		t.Fatal(err)
	}
	presigned := strings.TrimPrefix(signed.URL, w.base)
	for _, path := range []string{"/api/images/" + row.ID + "/file", "/api/files/f.png", presigned} {
		t.Run(path[:min(len(path), 20)], func(t *testing.T) {
			t.Parallel()
			whole := admin.must(t, 200, "GET", path, nil)
			h := whole.header
			tag := h.Get("ETag")
			if !bytes.Equal(whole.body, content) || h.Get("Content-Length") != fmt.Sprint(len(content)) || h.Get("Content-Type") != "image/png" || h.Get("Accept-Ranges") != "bytes" || !regexp.MustCompile(`^"[^"]+"$`).MatchString(tag) {
				t.Errorf("%d bytes, %v", len(whole.body), h)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "sandbox; default-src 'none'" {
				t.Errorf("%v", h)
			}
			// A tenant's file may be another one in a second, an image's never.
			if !strings.HasPrefix(path, "/api/files") && h.Get("Cache-Control") != "private, max-age=3600" {
				t.Errorf("Cache-Control: %s", h.Get("Cache-Control"))
			}
			if head := admin.must(t, 200, "HEAD", path, nil); head.header.Get("Content-Length") != fmt.Sprint(len(content)) || head.header.Get("ETag") != tag || len(head.body) != 0 {
				t.Errorf("HEAD %v", head.header)
			}
			size := len(content)
			for header, want := range map[string]struct {
				status   int
				from, to int
			}{
				"bytes=0-9":                         {206, 0, 10},
				"bytes=10-":                         {206, 10, size},
				"bytes=-7":                          {206, size - 7, size},
				fmt.Sprintf("bytes=5-%d", size+100): {206, 5, size},
				fmt.Sprintf("bytes=-%d", size+100):  {206, 0, size},
				fmt.Sprintf("bytes=%d-", size-1):    {206, size - 1, size},
				fmt.Sprintf("bytes=%d-", size):      {416, 0, 0},
				"bytes=99999999999999999999-":       {416, 0, 0},
				"bytes=-0":                          {416, 0, 0},
				"bytes=9-5":                         {200, 0, size},
				"items=0-1":                         {200, 0, size},
				"bytes=x-y":                         {200, 0, size},
			} {
				got := admin.text(t, "GET", path, "", "Range", header)
				if got.status != want.status {
					t.Errorf("Range %s: %d, want %d", header, got.status, want.status)
					continue
				}
				if want.status == 416 {
					got.fails(t, 416, "range")
					if got.header.Get("Content-Range") != fmt.Sprintf("bytes */%d", size) {
						t.Errorf("Range %s: Content-Range %s", header, got.header.Get("Content-Range"))
					}
					continue
				}
				if !bytes.Equal(got.body, content[want.from:want.to]) {
					t.Errorf("Range %s: %d bytes", header, len(got.body))
				}
				if want.status == 206 && got.header.Get("Content-Range") != fmt.Sprintf("bytes %d-%d/%d", want.from, want.to-1, size) {
					t.Errorf("Range %s: Content-Range %s", header, got.header.Get("Content-Range"))
				}
			}
			if got := admin.text(t, "GET", path, "", "Range", "bytes=0-1,3-4"); got.status != 200 && got.status != 206 {
				t.Errorf("two ranges: %d", got.status)
			}
			for _, match := range []string{tag, "*", `"x", ` + tag, "W/" + tag} {
				got := admin.text(t, "GET", path, "", "If-None-Match", match)
				if got.status != 304 || len(got.body) != 0 || got.header.Get("ETag") != tag {
					t.Errorf("If-None-Match %s: %d %v", match, got.status, got.header)
				}
			}
			admin.must(t, 200, "GET", path, nil, "If-None-Match", `"x"`)
			admin.must(t, 200, "GET", path, nil, "If-Match", tag)
			admin.text(t, "GET", path, "", "If-Match", `"x"`).fails(t, 412, "conflict")
			if got := admin.text(t, "GET", path, "", "Range", "bytes=0-9", "If-Range", tag); got.status != 206 {
				t.Errorf("If-Range of this: %d", got.status)
			}
			if got := admin.text(t, "GET", path, "", "Range", "bytes=0-9", "If-Range", `"x"`); got.status != 200 {
				t.Errorf("If-Range of another: %d", got.status)
			}
		})
	}
	t.Run("thumbnail", func(t *testing.T) {
		t.Parallel()
		path := "/api/images/" + row.ID + "/thumbnail"
		for query, status := range map[string]int{"": 200, "?size=64": 200, "?size=4096": 200, "?size=1": 200, "?size=0": 422, "?size=-1": 422, "?size=x": 422, "?size=100000": 422} {
			got := admin.text(t, "GET", path+query, "")
			if got.status != status {
				t.Errorf("%s: %s", query, got)
			}
			if status == 200 && (got.header.Get("ETag") == "" || got.header.Get("Content-Security-Policy") != "sandbox; default-src 'none'" || got.header.Get("Cache-Control") != "private, max-age=3600") {
				t.Errorf("%s: %v", query, got.header)
			}
		}
		tag := admin.must(t, 200, "GET", path, nil).header.Get("ETag")
		if got := admin.text(t, "GET", path, "", "If-None-Match", tag); got.status != 304 {
			t.Errorf("%d", got.status)
		}
	})
}

// TestContractPresigned: works without a token, not when altered or expired.
func TestContractPresigned(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row, other := ada.upload(t, "a.png", picture(8, 8, 1)), ada.upload(t, "b.png", picture(8, 8, 2))
	got := ada.must(t, 200, "GET", "/api/images/"+row.ID+"/url", nil)
	if keys := fmt.Sprint(keysOf(t, got.body)); keys != "[expires_at url]" {
		t.Errorf("members %s", keys)
	}
	var signed struct {
		URL       string
		ExpiresAt time.Time `json:"expires_at"`
	}
	if err := got.into(&signed); err != nil {
		t.Fatal(err)
	}
	if life := time.Until(signed.ExpiresAt); life > time.Hour+time.Minute || life < time.Hour-time.Minute {
		t.Errorf("it lives for %v", life)
	}
	res, err := http.Get(signed.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); res.StatusCode != 200 || !bytes.Equal(b, picture(8, 8, 1)) || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s, %d bytes", res.Status, len(b))
	}
	u, err := url.Parse(signed.URL)
	if err != nil {
		t.Fatal(err)
	}
	tampered := map[string]string{
		"other image": strings.Replace(signed.URL, row.ID, other.ID, 1),
		"no query":    strings.Split(signed.URL, "?")[0],
	}
	for name, values := range u.Query() {
		q := u.Query()
		v := []byte(values[0])
		v[len(v)-1] ^= 1
		q.Set(name, string(v))
		tampered["altered "+name] = strings.Split(signed.URL, "?")[0] + "?" + q.Encode()
		q.Del(name)
		tampered["without "+name] = strings.Split(signed.URL, "?")[0] + "?" + q.Encode()
	}
	for name, altered := range tampered {
		t.Run(name, func(t *testing.T) {
			if got := w.anonymous().text(t, "GET", strings.TrimPrefix(altered, w.base), ""); got.status != 403 && got.status != 401 {
				t.Errorf("%s", got)
			}
		})
	}
	if got := w.anonymous().text(t, "PUT", strings.TrimPrefix(signed.URL, w.base), "x"); got.status != 405 {
		t.Errorf("PUT: %s", got)
	}
	ada.must(t, 204, "DELETE", "/api/images/"+row.ID, nil)
	w.anonymous().text(t, "GET", strings.TrimPrefix(signed.URL, w.base), "").fails(t, 410, "gone")
}
