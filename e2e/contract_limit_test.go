package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestContractLimits: what happens at a limit, with small ones.
func TestContractLimits(t *testing.T) {
	t.Parallel()
	w := newSite(t, "--client-ops=5", "--client-burst=10", "--image-annotations=12", "--image-sockets=2", "--client-presence=5", "--tenant-images=2", "--max-upload=2000", "--max-body=2KiB", "--max-file=100",
		"--tenant-ops=7001", "--tenant-sockets=7002", "--tenant-bytes=7003MiB")
	ada := w.as("acme", "ada", "admin")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	usage := ada.must(t, 200, "GET", "/api/usage", nil)
	for _, want := range []string{":5", ":10", ":12", ":2000"} {
		if !strings.Contains(string(member(t, usage.body, "limits")), want) {
			t.Errorf("no %s in %s", want, usage)
		}
	}
	s, welcome := ada.join(t, row.ID, "c")
	if limits := string(member(t, welcome, "limits")); !strings.Contains(limits, ":5") || !strings.Contains(limits, ":10") || !strings.Contains(limits, ":12") {
		t.Errorf("limits %s", limits)
	}
	// What bounds a tenant is told on both ways, too.
	for told, name := range map[string]string{"tenant_ops_per_second": "tenant_ops_per_second", "tenant_sockets": "tenant_sockets", "tenant_images": "images", "tenant_bytes": "bytes", "body_bytes": "body_bytes"} {
		got, want := string(member(t, welcome, "limits", told)), string(member(t, usage.body, "limits", name))
		if got != want || got == "" || got == "0" {
			t.Errorf("%s is %q in welcome, %q in usage", told, got, want)
		}
	}
	t.Run("ops", func(t *testing.T) {
		// More ops in one frame than may ever come at once.
		ops := make([]string, 8)
		for i := range ops {
			ops[i] = put("", "x")
		}
		s.say(t, opFrame(1, ops...))
		s.want(t, "ack")
		s.say(t, opFrame(2, ops[:6]...))
		rej := s.want(t, "rej")
		if f := decoded(t, rej); f.Code != "rate_limited" || !f.Temporary || !strings.Contains(string(rej), `"retry_after_ms"`) {
			t.Errorf("%s", rej)
		}
		eventually(t, "there is room again", func() error {
			s.say(t, opFrame(2, ops[:4]...))
			for {
				kind, b, err := s.hear(t)
				if err != nil {
					t.Fatal(err)
				}
				switch kind {
				case "ack":
					return nil
				case "rej":
					time.Sleep(50 * time.Millisecond)
					return fmt.Errorf("%s", b)
				}
			}
		})
		eventually(t, "the image is full", func() error {
			got := ada.text(t, "POST", "/api/annotations", drawing(row.ID, "x", ""))
			if got.status != 429 {
				return fmt.Errorf("%s", got)
			}
			got.fails(t, 429, "rate_limited")
			return nil
		})
	})
	t.Run("presence", func(t *testing.T) {
		for range 50 {
			s.say(t, `{"t":"pres","state":{"cursor":[0.5,0.5]}}`)
		}
		e := s.want(t, "err")
		if f := decoded(t, e); f.Code != "rate_limited" || !f.Temporary || !strings.Contains(string(e), "retry_after_ms") {
			t.Errorf("%s", e)
		}
	})
	t.Run("sockets", func(t *testing.T) {
		ada.join(t, row.ID, "second")
		third, err := ada.dialQuery(t, row.ID, "")
		if err != nil {
			if !strings.HasSuffix(err.Error(), ": 429") {
				t.Errorf("%v", err)
			}
			return
		}
		third.say(t, `{"t":"hello","client":"third"}`)
		if code := third.closed(t); code != 4429 {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("bodies", func(t *testing.T) {
		ada.text(t, "POST", "/api/images/"+row.ID+"/messages", `{"text":"`+strings.Repeat("x", 3000)+`"}`).fails(t, 413, "too_large")
		ada.text(t, "PUT", "/api/files/f", strings.Repeat("x", 101), "Content-Type", "text/plain").fails(t, 413, "too_large")
		body, contentType := form("b.png", append(picture(8, 8, 2), make([]byte, 3000)...))
		ada.refused(t, "too_large", "POST", "/api/images/upload", body, "Content-Type", contentType)
	})
	t.Run("images", func(t *testing.T) {
		ada.upload(t, "b.png", picture(8, 8, 2))
		body, contentType := form("c.png", picture(8, 8, 3))
		got, err := ada.do(t.Context(), "POST", "/api/images/upload", body, "Content-Type", contentType)
		if err != nil {
			t.Fatal(err)
		}
		got.fails(t, 429, "rate_limited")
	})
}

// TestContractSlowReader: it is cut, and delays nobody.
func TestContractSlowReader(t *testing.T) {
	t.Parallel()
	w := newSite(t, "--client-ops=100000", "--client-burst=100000", "--image-ops=100000", "--tenant-ops=100000")
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	slow := ada.slow(t, row.ID)
	writer, _ := ada.join(t, row.ID, "writer")
	label := strings.Repeat("x", 100)
	for seq := 1; seq <= 80; seq++ {
		ops := make([]string, 250)
		for i := range ops {
			ops[i] = put("", label)
		}
		writer.say(t, opFrame(seq, ops...))
		writer.want(t, "ack")
	}
	if code := slow.closed(t); code != 4508 {
		t.Errorf("closed with %d", code)
	}
}
