package tenant

import (
	"errors"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// seenPrecision is how far last_seen_at may lag, so that reading does not write.
const seenPrecision = time.Minute

func (s *State) seen(t Turn, m Seen) (actors.Message, error) {
	if m.User == "" {
		return nil, easel.Invalid("user", "is missing")
	}
	old, err := findMember(t.Tx(), m.User)
	fresh := errors.Is(err, sqlite.ErrNoRows)
	if err != nil && !fresh {
		return nil, err
	}
	now := easel.At(t.Now())
	if !fresh && old.Name == m.Name && old.Role == m.Role && now-old.LastSeenAt < easel.Time(seenPrecision.Milliseconds()) {
		return Empty{}, nil
	}
	if err := saveMember(t.Tx(), MemberReply{ID: m.User, Name: m.Name, Role: m.Role, LastSeenAt: max(now, old.LastSeenAt)}); err != nil {
		return nil, err
	}
	if fresh {
		return Empty{}, addUsage(t.Tx(), Amounts{Members: 1})
	}
	return Empty{}, nil
}

func (s *State) member(t Turn, m Member) (actors.Message, error) {
	found, err := findMember(t.Tx(), m.User)
	if errors.Is(err, sqlite.ErrNoRows) {
		return nil, easel.Errorf(easel.CodeNotFound, "no such user")
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

func findMember(tx *sqlite.Tx, user string) (MemberReply, error) {
	m := MemberReply{ID: user}
	err := tx.Row(`SELECT name, role, last_seen_at FROM member WHERE user = ?`, []any{user}, &m.Name, &m.Role, &m.LastSeenAt)
	return m, err
}

func saveMember(tx *sqlite.Tx, m MemberReply) error {
	_, err := tx.Exec(`INSERT INTO member (user, name, role, last_seen_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (user) DO UPDATE SET name = excluded.name, role = excluded.role, last_seen_at = excluded.last_seen_at`,
		m.ID, m.Name, m.Role, m.LastSeenAt)
	return err
}
