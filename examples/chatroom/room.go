package main

import "github.com/easelhq/easel/actors"

// What a room takes and answers.
type (
	Say      struct{ Text string }
	Latest   struct{}
	Messages struct{ Texts []string } // the last 100, newest first
)

func (Say) MessageName() string      { return "chatroom.say" }
func (Latest) MessageName() string   { return "chatroom.latest" }
func (Messages) MessageName() string { return "chatroom.messages" }

// room is the behavior of one chat room. All it remembers is in its file.
type room struct{}

func newKind() (*actors.Kind, error) {
	schema, err := actors.NewSchema("room", []string{`CREATE TABLE message (text TEXT NOT NULL) STRICT`})
	return &actors.Kind{
		Name: "room", Schema: schema,
		New:    func(actors.Key) actors.Behavior { return room{} },
		Births: func(m actors.Message) bool { _, ok := m.(Say); return ok },
	}, err
}

func (room) Start(*actors.Turn) error { return nil }

func (room) Alarm(*actors.Turn, string) error { return nil }

func (room) Receive(t *actors.Turn, m actors.Message) (actors.Message, error) {
	if say, ok := m.(Say); ok {
		if _, err := t.Tx().Exec(`INSERT INTO message (text) VALUES (?)`, say.Text); err != nil {
			return nil, err
		}
	}
	rows, err := t.Tx().Query(`SELECT text FROM message ORDER BY rowid DESC LIMIT 100`)
	if err != nil {
		return nil, err
	}
	var out Messages
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		out.Texts = append(out.Texts, text)
	}
	return out, rows.Close()
}
