// Command chatroom is a whole program on Easel's actor runtime, without anything
// of image annotation: each room is a durable actor with a SQLite file of its
// own, and a message that was answered survives kill -9.
//
//	go run ./examples/chatroom &
//	curl -d 'hello' localhost:8081/rooms/lobby/messages
//	curl localhost:8081/rooms/lobby/messages
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
)

func main() {
	if err := run("127.0.0.1:8081", "./chatroom-data"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(addr, dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	home, err := journal.OpenNode(journal.NodeOptions{Dir: dir + "/store"})
	if err != nil {
		return err
	}
	defer home.Close()
	room, err := newKind()
	if err != nil {
		return err
	}
	system, err := actors.New(actors.Config{Dir: dir + "/work", Journal: home, Kinds: []*actors.Kind{room}})
	if err != nil {
		return err
	}
	if err := system.Start(ctx); err != nil {
		return err
	}
	server := &http.Server{Addr: addr, Handler: handler(system)}
	context.AfterFunc(ctx, func() { _ = server.Shutdown(context.WithoutCancel(ctx)) })
	if err := server.ListenAndServe(); ctx.Err() == nil {
		return err
	}
	return system.Stop(context.WithoutCancel(ctx))
}

func handler(a actors.Asker) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, r *http.Request, m actors.Message) {
		got, err := actors.Ask[Messages](r.Context(), a, actors.Request{To: actors.Key{Kind: "room", ID: r.PathValue("room")}, Message: m})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(got.Texts)
	}
	mux.HandleFunc("GET /rooms/{room}/messages", func(w http.ResponseWriter, r *http.Request) { answer(w, r, Latest{}) })
	mux.HandleFunc("POST /rooms/{room}/messages", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(io.LimitReader(r.Body, 4096))
		answer(w, r, Say{string(text)})
	})
	return mux
}
