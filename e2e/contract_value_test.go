package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestContractFiles: names, headers, lists.
func TestContractFiles(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	admin := w.as("acme", "ada", "admin")
	got := admin.must(t, 200, "PUT", "/api/files/a/b.txt", strings.NewReader("hello"), "Content-Type", "text/markdown; charset=utf-8", "X-Easel-Meta-Author", "Ada", "X-Easel-Meta-two-words", "ü x")
	if keys := fmt.Sprint(keysOf(t, got.body)); keys != "[etag ok size]" || string(member(t, got.body, "ok")) != "true" || string(member(t, got.body, "size")) != "5" {
		t.Errorf("%s", got)
	}
	for _, method := range []string{"GET", "HEAD"} {
		got := admin.must(t, 200, method, "/api/files/a%2Fb.txt", nil)
		if got.header.Get("Content-Type") != "text/markdown; charset=utf-8" || got.header.Get("X-Easel-Meta-Author") != "Ada" || got.header.Get("X-Easel-Meta-Two-Words") == "" || got.header.Get("Content-Length") != "5" {
			t.Errorf("%s: %v", method, got.header)
		}
		if method == "GET" && string(got.body) != "hello" {
			t.Errorf("%s", got)
		}
	}
	tag := strings.Trim(string(member(t, got.body, "etag")), `"\`)
	if h := admin.must(t, 200, "GET", "/api/files/a/b.txt", nil).header.Get("ETag"); strings.Trim(h, `"`) != tag {
		t.Errorf("the body says %s, the header %s", tag, h)
	}
	for _, name := range []string{"x", "a/b/c", "ü", "a b", "a+b", "a%25b", "a%3Fb", "a%23b", "..%2Fx", "a/../b", "./x", "a//b", "/x", "a/", "%2e%2e", "%F0%9F%98%80", "a:b;c,d", "con", ".hidden", "%22q%22", "a%5Cb", strings.Repeat("n", 200)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, base := range []string{"/api/files/", "/api/kv/"} {
				content := "content of " + name
				put := admin.text(t, "PUT", base+name, content, "Content-Type", "text/plain")
				if put.status == 422 || put.status == 404 {
					put.fails(t, put.status, map[int]string{422: "invalid", 404: "not_found"}[put.status])
					if !strings.Contains(name, ".") && !strings.Contains(name, "//") && name != "/x" && name != "a/" {
						t.Errorf("refused: %s", put)
					}
					continue
				}
				if put.status != 200 {
					t.Fatalf("%s%s: %s", base, name, put)
				}
				if got := admin.text(t, "GET", base+name, ""); string(got.body) != content {
					t.Errorf("%s%s: %s", base, name, got)
				}
				admin.must(t, 204, "DELETE", base+name, nil)
				admin.text(t, "GET", base+name, "").fails(t, 404, "not_found")
			}
		})
	}
	for _, name := range []string{"%00", "a%00b", "%FF", strings.Repeat("n", 5000), ""} {
		if got := admin.text(t, "PUT", "/api/files/"+name, "x", "Content-Type", "text/plain"); got.status < 400 || got.status >= 500 {
			t.Errorf("%q: %s", name, got)
		}
		if got := admin.text(t, "PUT", "/api/kv/"+name, "x", "Content-Type", "text/plain"); got.status < 400 || got.status >= 500 {
			t.Errorf("%q: %s", name, got)
		}
	}
	admin.refused(t, "not_found", "GET", "/api/files/never", nil)
	if got := admin.text(t, "DELETE", "/api/files/never", ""); got.status != 204 && got.status != 404 {
		t.Errorf("%s", got)
	}
	// An empty file is a file.
	admin.must(t, 200, "PUT", "/api/files/empty", strings.NewReader(""))
	if got := admin.must(t, 200, "GET", "/api/files/empty", nil); len(got.body) != 0 || got.header.Get("Content-Length") != "0" {
		t.Errorf("%v", got.header)
	}
	// A large one is streamed and comes back as it was.
	large := bytes.Repeat([]byte("0123456789abcdef"), 12<<20/16)
	admin.must(t, 200, "PUT", "/api/files/large", io.MultiReader(bytes.NewReader(large)))
	if got := admin.must(t, 200, "GET", "/api/files/large", nil); !bytes.Equal(got.body, large) {
		t.Errorf("%d bytes", len(got.body))
	}
}

// TestContractValues: bytes, ttl, compare-and-set and lists of kv; the same
// compare-and-set for files.
func TestContractValues(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	admin := w.as("acme", "ada", "admin")
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	admin.must(t, 200, "PUT", "/api/kv/bytes", bytes.NewReader(every))
	if got := admin.must(t, 200, "GET", "/api/kv/bytes", nil); !bytes.Equal(got.body, every) || got.header.Get("ETag") == "" || got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Content-Security-Policy") != "sandbox; default-src 'none'" {
		t.Errorf("%q %v", got.body, got.header)
	}
	if got := admin.must(t, 200, "HEAD", "/api/kv/bytes", nil); got.header.Get("Content-Length") != "256" {
		t.Errorf("%v", got.header)
	}
	admin.must(t, 200, "PUT", "/api/kv/most", bytes.NewReader(make([]byte, 1<<20)))
	admin.text(t, "PUT", "/api/kv/over", string(make([]byte, 1<<20+1)), "Content-Type", "application/octet-stream").fails(t, 413, "too_large")
	admin.refused(t, "not_found", "GET", "/api/kv/over", nil)
	admin.must(t, 200, "PUT", "/api/kv/empty", strings.NewReader(""))
	if got := admin.must(t, 200, "GET", "/api/kv/empty", nil); len(got.body) != 0 {
		t.Errorf("%s", got)
	}
	for _, base := range []string{"/api/kv/", "/api/files/"} {
		t.Run("compare-and-set "+base, func(t *testing.T) {
			t.Parallel()
			path := base + "cas"
			put := func(content string, header ...string) answer {
				return admin.text(t, "PUT", path, content, append(header, "Content-Type", "text/plain")...)
			}
			put("x", "If-Match", "*").fails(t, 412, "conflict")
			put("x", "If-Match", `"x"`).fails(t, 412, "conflict")
			if got := put("one", "If-None-Match", "*"); got.status != 200 {
				t.Fatalf("%s", got)
			}
			put("two", "If-None-Match", "*").fails(t, 412, "conflict")
			first := admin.must(t, 200, "GET", path, nil).header.Get("ETag")
			if got := put("two", "If-Match", first); got.status != 200 {
				t.Fatalf("%s", got)
			}
			put("three", "If-Match", first).fails(t, 412, "conflict")
			second := admin.must(t, 200, "GET", path, nil)
			if string(second.body) != "two" || second.header.Get("ETag") == first {
				t.Errorf("%s %v", second, second.header)
			}
			if got := put("three", "If-Match", `"x", `+second.header.Get("ETag")); got.status != 200 {
				t.Errorf("a list of tags: %s", got)
			}
			if got := admin.text(t, "GET", path, "", "If-None-Match", admin.must(t, 200, "GET", path, nil).header.Get("ETag")); got.status != 304 {
				t.Errorf("%s", got)
			}
			admin.text(t, "DELETE", path, "", "If-Match", first).fails(t, 412, "conflict")
			admin.must(t, 204, "DELETE", path, nil, "If-Match", "*")
		})
	}
	t.Run("ttl", func(t *testing.T) {
		t.Parallel()
		admin.must(t, 200, "PUT", "/api/kv/brief?ttl=1", strings.NewReader("x"))
		admin.must(t, 200, "PUT", "/api/kv/lasting?ttl=3600", strings.NewReader("x"))
		eventually(t, "it is over", func() error {
			if got := admin.text(t, "GET", "/api/kv/brief", ""); got.status != 404 {
				return fmt.Errorf("%s", got)
			}
			return nil
		})
		if got := admin.must(t, 200, "GET", "/api/kv", nil); strings.Contains(string(got.body), `"brief"`) {
			t.Errorf("%s", got)
		}
		admin.must(t, 200, "GET", "/api/kv/lasting", nil)
		for _, ttl := range []string{"0", "-1", "x", "", "1.5"} {
			admin.text(t, "PUT", "/api/kv/bad?ttl="+ttl, "x").fails(t, 422, "invalid")
		}
	})
	t.Run("lists", func(t *testing.T) {
		t.Parallel()
		other := w.as("lists", "ada", "admin")
		for _, base := range []string{"/api/kv", "/api/files"} {
			member, name := "keys", "key"
			if base == "/api/files" {
				member, name = "files", "name"
			}
			var want []string
			for _, k := range []string{"p/a", "p/b", "p/c/d", "p_x", "q"} {
				other.must(t, 200, "PUT", base+"/"+k, strings.NewReader("x"))
				want = append(want, k)
			}
			read := func(query string) (names []string) {
				for cursor := ""; ; {
					got := other.must(t, 200, "GET", base+query+cursor, nil)
					page := regexp.MustCompile(`"`+name+`":"([^"]*)"`).FindAllSubmatch(got.body, -1)
					if !bytes.Contains(got.body, []byte(`"`+member+`":[`)) || !bytes.Contains(got.body, []byte(`"next_cursor":`)) {
						t.Fatalf("%s", got)
					}
					for _, m := range page {
						names = append(names, string(m[1]))
					}
					next := regexp.MustCompile(`"next_cursor":"([^"]+)"`).FindSubmatch(got.body)
					if next == nil {
						return names
					}
					cursor = "&cursor=" + url.QueryEscape(string(next[1]))
				}
			}
			for query, want := range map[string][]string{"?prefix=": want, "?limit=2": want, "?prefix=p/&limit=1": want[:3], "?prefix=p%2Fc&limit=9": want[2:3], "?prefix=p_": want[3:4], "?prefix=P": nil, "?prefix=%25": nil} {
				if got := read(query); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s%s: %v, want %v", base, query, got, want)
				}
			}
		}
	})
}
