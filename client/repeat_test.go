package client_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel/client"
)

// TestWriteIsRepeatedUnderOneKey: a server that dies before it has answered, or that
// cannot say what came of a write, is asked again so that it knows the repeat for one.
func TestWriteIsRepeatedUnderOneKey(t *testing.T) {
	var mu sync.Mutex // guards keys
	var keys []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		switch len(keys) {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer server.Close()
	c, err := client.New(client.Config{URL: server.URL, Token: "t", Patience: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.DeleteValue(t.Context(), "k", client.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	first, last := keys[0], keys[len(keys)-1]
	if first == "" || first == last || len(keys) < 4 || slices.ContainsFunc(keys[:len(keys)-1], func(k string) bool { return k != first }) {
		t.Errorf("two writes were sent under %q", keys)
	}
}
