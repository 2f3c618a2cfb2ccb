// Command chatroom is a chat room that survives anything, in forty lines of actor
// (room.go) and this wiring. It shows what Easel's runtime is without annotations.
//
//	go run ./examples/chatroom ROOM USER "hello there"
//	go run ./examples/chatroom ROOM
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/journal"
)

func main() {
	if err := run(context.Background(), "chatroom-data", os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chatroom:", err)
		os.Exit(1)
	}
}

// run says a line in a room, if there is one to say, and prints the room.
func run(ctx context.Context, dir string, args []string, w io.Writer) (err error) {
	if len(args) != 1 && len(args) != 3 {
		return errors.New("usage: chatroom ROOM [USER TEXT]")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	lock, err := journal.LockDir(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	home, err := journal.OpenNode(journal.NodeOptions{Dir: filepath.Join(dir, "journal")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, home.Close()) }()
	tables, err := actors.NewSchema("chat", []string{schema})
	if err != nil {
		return err
	}
	system, err := actors.New(actors.Config{Dir: filepath.Join(dir, "work"), Journal: home, Kinds: []*actors.Kind{{
		Name: "chat", Schema: tables,
		New:    func(actors.Key) actors.Behavior { return ChatRoom{} },
		Births: func(m actors.Message) bool { _, ok := m.(Say); return ok },
	}}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := system.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Stop(ctx)) }()

	var message actors.Message = Read{}
	if len(args) == 3 {
		message = Say{User: args[1], Text: args[2]}
	}
	said, err := actors.Ask[Lines](ctx, system, actors.Request{To: actors.Key{Kind: "chat", ID: args[0]}, Message: message})
	if err != nil {
		return err
	}
	for _, line := range said.Lines {
		fmt.Fprintf(w, "%s: %s\n", line.User, line.Text)
	}
	return nil
}
