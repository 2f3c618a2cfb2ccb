package main

import (
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// Messages of a room. Say appends a line, and brings a room to life that has never
// heard one; Read answers Lines.
type (
	Say   struct{ User, Text string }
	Read  struct{}
	Lines struct{ Lines []Say }
)

func (Say) MessageName() string   { return "chat.say" }
func (Read) MessageName() string  { return "chat.read" }
func (Lines) MessageName() string { return "chat.lines" }

const schema = `CREATE TABLE line (id INTEGER PRIMARY KEY, user TEXT NOT NULL, text TEXT NOT NULL) STRICT;`

// ChatRoom is a durable actor: everything it knows is in its own file, and nobody
// hears of a line before it is safe on disk.
type ChatRoom struct{}

func (ChatRoom) Start(*actors.Turn) error         { return nil }
func (ChatRoom) Alarm(*actors.Turn, string) error { return nil }

func (ChatRoom) Receive(t *actors.Turn, m actors.Message) (actors.Message, error) {
	if say, ok := m.(Say); ok {
		if _, err := t.Tx().Exec(`INSERT INTO line (user, text) VALUES (?, ?)`, say.User, say.Text); err != nil {
			return nil, err
		}
	}
	return lines(t.Tx())
}

func lines(tx *sqlite.Tx) (Lines, error) {
	rows, err := tx.Query(`SELECT user, text FROM line ORDER BY id DESC LIMIT 100`)
	if err != nil {
		return Lines{}, err
	}
	var out Lines
	for rows.Next() {
		var say Say
		if err := rows.Scan(&say.User, &say.Text); err != nil {
			return Lines{}, err
		}
		out.Lines = append(out.Lines, say)
	}
	return out, rows.Close()
}
