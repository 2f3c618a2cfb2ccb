package client_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/client"
)

// TestSocketsTrustWhomRequestsTrust: a node whose certificate is of an authority of
// one's own.
func TestSocketsTrustWhomRequestsTrust(t *testing.T) {
	upgrader := websocket.Upgrader{Subprotocols: []string{"easel.v1"}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		for _, text := range []string{
			`{"t":"welcome","epoch":"e","ver":0}`, `{"t":"snap","i":0,"last":true,"ver":0,"annotations":[]}`,
		} {
			if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
				t.Error(err)
			}
		}
		for err == nil {
			_, _, err = conn.ReadMessage()
		}
	}))
	server.EnableHTTP2 = true // as nodes offer it
	server.StartTLS()
	defer server.Close()
	c, err := client.New(client.Config{URL: server.URL, Token: "t", HTTP: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	live, err := c.Live(t.Context(), easel.NewID(), client.LiveConfig{})
	if err != nil {
		t.Fatal(err)
	}
	live.Close()
}
