package faultproxy_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/easelhq/easel/e2e/faultproxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store answers "got N bytes" and notes what arrived.
type store struct {
	mu     sync.Mutex // guards bodies
	bodies []string
	heard  chan struct{} // one for each body
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	got := string(b)
	if err != nil {
		got = "part of a request"
	}
	s.mu.Lock()
	s.bodies = append(s.bodies, got)
	s.mu.Unlock()
	s.heard <- struct{}{}
	w.Header().Set("X-Host", r.Host)
	_, _ = io.WriteString(w, "twenty bytes of body")
}

func (s *store) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bodies
}

func setup(t *testing.T) (*store, *faultproxy.Proxy, *http.Client) {
	t.Helper()
	s := &store{heard: make(chan struct{}, 10)}
	server := httptest.NewServer(s)
	p, err := faultproxy.Start(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return s, p, client
}

func put(ctx context.Context, c *http.Client, url, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Host = "signed.example.org"
	res, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b) + res.Header.Get("X-Host"), err
}

func TestProxyDoesWhatThePlanSays(t *testing.T) {
	const whole = "twenty bytes of bodysigned.example.org"
	tests := []struct {
		name   string
		fault  faultproxy.Fault
		status int // 0: no whole answer
		answer string
		stored []string
		seen   string
	}{
		{"none", faultproxy.Fault{}, 200, whole, []string{"0123456789"}, ""},
		{"slow", faultproxy.Fault{Delay: time.Millisecond}, 200, whole, []string{"0123456789"}, "slow"},
		{"refused", faultproxy.Refuse(409, "ConditionalRequestConflict"), 409, "ConditionalRequestConflict", nil, "409"},
		{"dropped", faultproxy.Fault{Kind: faultproxy.Dropped}, 0, "", nil, "dropped"},
		{"hung", faultproxy.Fault{Kind: faultproxy.Hung, Hold: time.Millisecond}, 0, "", nil, "hung"},
		{"lost", faultproxy.Fault{Kind: faultproxy.Lost}, 0, "", []string{"0123456789"}, "lost"},
		{"request cut", faultproxy.Fault{Kind: faultproxy.CutRequest}, 0, "", []string{"part of a request"}, "request cut"},
		{"answer cut", faultproxy.Fault{Kind: faultproxy.CutAnswer}, 0, "", []string{"0123456789"}, "answer cut"},
		{"torn", faultproxy.Fault{Kind: faultproxy.Torn}, 0, "", []string{"01234"}, "torn"},
		{"twice", faultproxy.Fault{Kind: faultproxy.Twice, Hold: time.Millisecond}, 200, whole, []string{"0123456789", "0123456789"}, "delivered twice"},
		{"late", faultproxy.Fault{Kind: faultproxy.Late, Hold: time.Millisecond}, 0, "", []string{"0123456789"}, "delivered late"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, p, c := setup(t)
			p.Use(faultproxy.Always(tt.fault))
			status, answer, err := put(t.Context(), c, p.URL()+"/b/k", "0123456789")
			if whole := err == nil; whole != (tt.status != 0) || whole && status != tt.status || !strings.Contains(answer, tt.answer) {
				t.Errorf("got %d %q, %v", status, answer, err)
			}
			for range tt.stored {
				<-s.heard
			}
			if d := cmp.Diff(tt.stored, s.got()); d != "" {
				t.Errorf("the store got:\n%s", d)
			}
			want := map[string]int{}
			if tt.seen != "" {
				want[tt.seen] = 1
			}
			if d := cmp.Diff(want, p.Seen()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestProxyIsDownAndUpAgain(t *testing.T) {
	_, p, c := setup(t)
	if _, _, err := put(t.Context(), c, p.URL(), "x"); err != nil {
		t.Fatal(err)
	}
	p.Down(true)
	if _, _, err := put(t.Context(), c, p.URL(), "x"); err == nil {
		t.Error("it answers while it is down")
	}
	p.Down(false)
	if _, _, err := put(t.Context(), c, p.URL(), "x"); err != nil {
		t.Error(err)
	}
}

func TestProxyLetsGoOfWhatHangsWhenThePlanChanges(t *testing.T) {
	s, p, c := setup(t)
	hanging := make(chan struct{})
	p.Use(func(faultproxy.Call) faultproxy.Fault {
		close(hanging)
		return faultproxy.Fault{Kind: faultproxy.Hung, Hold: time.Hour}
	})
	done := make(chan error)
	go func() {
		_, _, err := put(t.Context(), c, p.URL(), "x")
		done <- err
	}()
	<-hanging
	p.Use(faultproxy.Calm)
	if err := <-done; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a cut connection", err)
	}
	if got := s.got(); len(got) != 0 {
		t.Errorf("the store got %q", got)
	}
}

func TestPlans(t *testing.T) {
	lost, cut := faultproxy.Fault{Kind: faultproxy.Lost}, faultproxy.Fault{Kind: faultproxy.CutAnswer}
	plan := faultproxy.First(
		faultproxy.Only(faultproxy.Slots, faultproxy.OneIn(1, 4, lost)),
		faultproxy.Only(faultproxy.Puts, faultproxy.Always(cut)),
	)
	var got bytes.Buffer
	for range 200 {
		got.WriteByte(plan(faultproxy.Call{Method: "PUT", Path: "/b/actors/a/log/1/2"}).Kind[0])
	}
	if n := strings.Count(got.String(), "l"); n < 30 || n > 70 {
		t.Errorf("%d of 200 slots are lost, want about 50", n)
	}
	if f := plan(faultproxy.Call{Method: "GET", Path: "/b/actors/a/log/1/2"}); f != (faultproxy.Fault{}) {
		t.Errorf("a GET gets %+v", f)
	}
	if f := plan(faultproxy.Call{Method: "PUT", Query: "partNumber=1"}); f != (faultproxy.Fault{}) {
		t.Errorf("a part gets %+v", f)
	}
}
