package canvas

import (
	"unicode/utf8"

	"github.com/easelhq/easel"
)

// lastMessages is how many chat messages are answered at most, and how many are
// kept: nobody can read older ones.
const lastMessages = 100

func (s *State) say(t Turn, m Say) (Said, error) {
	if err := may(m.By, easel.Annotator, "chat"); err != nil {
		return Said{}, err
	}
	if n := utf8.RuneCountInString(m.Text); n < 1 || n > easel.MaxMessage || !utf8.ValidString(m.Text) {
		return Said{}, easel.Invalid("text", "must have 1 to 4000 characters")
	}
	line := easel.Message{ID: easel.NewID(), By: m.By.User, At: s.now(t), Text: m.Text}
	if err := insertChat(t.Tx(), &line, lastMessages); err != nil {
		return Said{}, err
	}
	s.head.at, s.head.message = line.At, line.ID
	t.Publish(Chatted{Message: line})
	return Said{Message: line}, nil
}

// messages answers the newest lines down to After. An After that is not among
// them, or never was, hides none: it is older than all that are answered.
func (s *State) messages(t Turn, m Messages) (MessagesReply, error) {
	lines, err := loadChat(t.Tx(), lastMessages)
	if err != nil {
		return MessagesReply{}, err
	}
	for i := range lines {
		if m.After != "" && lines[i].ID == m.After {
			lines = lines[:i]
			break
		}
	}
	return MessagesReply{Messages: lines}, nil
}
