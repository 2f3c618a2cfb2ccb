package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// event is one server-sent event.
type event struct {
	id, name string
	data     json.RawMessage
	frame    frame
}

// stream is an open event stream.
type stream struct {
	header http.Header
	events chan event // closed at its end
	cancel context.CancelFunc
}

// stream opens the event stream of an image, from an event id unless "".
func (a *api) stream(t *testing.T, image, last string, query ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, "GET", a.base+"/api/images/"+image+"/events"+strings.Join(query, ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("%s, %v", res.Status, res.Header)
	}
	s := &stream{header: res.Header, events: make(chan event, 64), cancel: cancel}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(s.events)
		defer res.Body.Close()
		var e event
		for lines := bufio.NewReader(res.Body); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			line = strings.TrimSuffix(line, "\n")
			field, value, _ := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch {
			case line == "":
				if e.data != nil {
					_ = json.Unmarshal(e.data, &e.frame)
					select {
					case s.events <- e:
					case <-ctx.Done():
						return
					}
				}
				e = event{id: e.id}
			case field == "id":
				e.id = value
			case field == "event":
				e.name = value
			case field == "data":
				e.data = append(e.data, value...)
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return s
}

// until reads until an event with a frame of type want.
func (s *stream) until(t *testing.T, want string) event {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e, ok := <-s.events:
			if !ok {
				t.Fatalf("the stream ended before %s", want)
			}
			if e.frame.T == want {
				return e
			}
		case <-deadline:
			t.Fatalf("no %s", want)
		}
	}
}
