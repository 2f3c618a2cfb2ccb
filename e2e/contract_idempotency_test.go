package e2e_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestContractIdempotency: on every kind of write.
func TestContractIdempotency(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	admin, bob := w.as("acme", "ada", "admin"), w.as("acme", "bob", "admin")
	row := admin.upload(t, "a.png", picture(8, 8, 1))
	shape := admin.draw(t, row.ID, "cat")
	image := "/api/images/" + row.ID
	for i, c := range []struct{ method, path, body, other string }{
		{"POST", "/api/annotations", drawing(row.ID, "a", ""), drawing(row.ID, "b", "")},
		{"POST", "/api/annotations/bulk", `{"annotations":[` + drawing(row.ID, "a", "") + `]}`, `{"annotations":[` + drawing(row.ID, "b", "") + `]}`},
		{"PATCH", image + "/annotations/" + shape.ID, `{"label":"a"}`, `{"label":"b"}`},
		{"PATCH", image, `{"filename":"x"}`, `{"filename":"y"}`},
		{"POST", image + "/messages", `{"text":"a"}`, `{"text":"b"}`},
		{"POST", "/api/keys", `{"name":"a","role":"viewer"}`, `{"name":"b","role":"viewer"}`},
		{"POST", "/api/tickets", `{"image_id":"` + row.ID + `"}`, ""},
		{"PUT", "/api/kv/k", "one", "two"},
		{"PUT", "/api/files/f", "one", "two"},
		{"POST", image + "/ops", `{"client":"c","seq":1,"ops":[{"k":"patch","id":"` + shape.ID + `","set":{"label":"y"}}]}`, `{"client":"c","seq":2,"ops":[{"k":"patch","id":"` + shape.ID + `","set":{"label":"z"}}]}`},
		{"DELETE", image + "/annotations/" + shape.ID, "", ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			key := fmt.Sprint("key-", i)
			first := admin.text(t, c.method, c.path, c.body, "Idempotency-Key", key)
			if first.status >= 300 {
				t.Fatalf("%s", first)
			}
			again := admin.text(t, c.method, c.path, c.body, "Idempotency-Key", key)
			if again.status != first.status || !bytes.Equal(again.body, first.body) && c.path != "/api/tickets" {
				t.Errorf("first %s, again %s", first, again)
			}
			if c.path != "/api/tickets" && again.header.Get("ETag") != first.header.Get("ETag") {
				t.Errorf("ETag first %s, again %s", first.header.Get("ETag"), again.header.Get("ETag"))
			}
			if c.other != "" {
				admin.text(t, c.method, c.path, c.other, "Idempotency-Key", key).fails(t, 422, "invalid")
			}
			// Somebody else's key is another one.
			if c.method == "POST" && !strings.HasSuffix(c.path, "/ops") {
				other := bob.text(t, c.method, c.path, c.body, "Idempotency-Key", key)
				if other.status != first.status || bytes.Equal(other.body, first.body) {
					t.Errorf("bob got ada's answer: %s", other)
				}
			}
		})
	}
	t.Run("upload", func(t *testing.T) {
		send := func(content []byte, name string) answer {
			body, contentType := form(name, content)
			got, err := admin.do(t.Context(), "POST", "/api/images/upload", body, "Content-Type", contentType, "Idempotency-Key", "up")
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		first, again := send(picture(9, 9, 1), "u.png"), send(picture(9, 9, 1), "u.png")
		if first.status != 201 || again.status != 201 || string(member(t, first.body, "image", "id")) != string(member(t, again.body, "image", "id")) {
			t.Errorf("first %s, again %s", first, again)
		}
		send(picture(9, 9, 2), "u.png").fails(t, 422, "invalid")
		if got := admin.must(t, 200, "GET", "/api/images?filename=u.png", nil); strings.Count(string(got.body), `"id":`) != 1 {
			t.Errorf("%s", got)
		}
	})
	t.Run("an error is a verdict too", func(t *testing.T) {
		one := "/api/images/" + row.ID + "/annotations/" + shape.ID
		first := admin.text(t, "DELETE", one, "", "Idempotency-Key", "gone").fails(t, 410, "gone")
		again := admin.text(t, "DELETE", one, "", "Idempotency-Key", "gone").fails(t, 410, "gone")
		if first.Message != again.Message {
			t.Errorf("%+v and %+v", first, again)
		}
	})
	t.Run("delete of an image", func(t *testing.T) {
		gone := admin.upload(t, "gone.png", picture(8, 8, 8))
		path := "/api/images/" + gone.ID
		admin.must(t, 204, "DELETE", path, nil, "Idempotency-Key", "d")
		admin.must(t, 200, "POST", path+"/restore", nil, "Idempotency-Key", "r")
		admin.must(t, 204, "DELETE", path, nil, "Idempotency-Key", "d") // the first verdict, without a second effect
		admin.must(t, 200, "GET", path, nil)
	})
	for name, key := range map[string]string{"long": strings.Repeat("k", 300), "empty": " "} {
		t.Run(name, func(t *testing.T) {
			if got := admin.text(t, "POST", image+"/messages", `{"text":"x"}`, "Idempotency-Key", key); got.status >= 500 {
				t.Errorf("%s", got)
			}
		})
	}
	t.Run("while the first runs", func(t *testing.T) {
		c, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(c, "PUT /api/files/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nIdempotency-Key: slow\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", admin.token)
		lines := bufio.NewReader(c)
		if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
			t.Fatalf("%q, %v", line, err) // it asks for the body, so it is under way
		}
		got := admin.text(t, "PUT", "/api/files/slow", "begin", "Idempotency-Key", "slow")
		got.fails(t, 409, "conflict")
		if got.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if _, err := c.Write([]byte("begin")); err != nil {
			t.Fatal(err)
		}
		for line := ""; !strings.Contains(line, "200 OK"); {
			if line, err = lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestContractIdempotencyAfterACrash: what ran when the node was killed runs no more,
// so a retry is not told to wait for it.
func TestContractIdempotencyAfterACrash(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	w := site{start(t, data, "--jwt-secret="+signingSecret)}
	owner := w.as("acme", "ada", "owner")
	r, contentType := form("cut.png", picture(300, 300, 1))
	whole, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	cut, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer cut.Close()
	_ = cut.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(cut, "POST /api/images/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nIdempotency-Key: cut\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		owner.token, contentType, len(whole), whole[:len(whole)-50])
	eventually(t, "the upload is under way", func() error {
		got, err := owner.do(t.Context(), "GET", "/api/usage", nil)
		if err == nil && string(member(t, got.body, "used", "images")) != "1" {
			err = fmt.Errorf("%s", got)
		}
		return err
	})
	w.kill()
	w.node = start(t, data, "--jwt-secret="+signingSecret)
	owner = w.as("acme", "ada", "owner")
	for range 2 {
		owner.must(t, 201, "POST", "/api/images/upload", bytes.NewReader(whole), "Content-Type", contentType, "Idempotency-Key", "cut")
	}
	if got := owner.must(t, 200, "GET", "/api/images", nil); strings.Count(string(got.body), `"id":`) != 1 {
		t.Errorf("%s", got)
	}
}
