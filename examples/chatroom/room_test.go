package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
)

func TestMessagesSurviveACrash(t *testing.T) {
	home := t.TempDir()
	room, err := newKind()
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"hello", "again"} {
		node, err := journal.OpenNode(journal.NodeOptions{Dir: home})
		if err != nil {
			t.Fatal(err)
		}
		system, err := actors.New(actors.Config{Dir: t.TempDir(), Journal: node, Kinds: []*actors.Kind{room}})
		if err != nil {
			t.Fatal(err)
		}
		if err := system.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		handler(system).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/rooms/lobby/messages", strings.NewReader(text)))
		want := []string{`["hello"]`, `["again","hello"]`}[i]
		if got := strings.TrimSpace(w.Body.String()); got != want {
			t.Errorf("messages = %s, want %s", got, want)
		}
		// The crash: the home is closed before anything was released.
		if err := node.Close(); err != nil {
			t.Fatal(err)
		}
		if err := system.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
