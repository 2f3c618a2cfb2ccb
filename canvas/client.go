package canvas

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
	"github.com/easelhq/easel/sqlite"
)

// What a client is remembered by.
const (
	keptVerdicts = 32                  // newest verdicts kept for each client
	clientMemory = 30 * 24 * time.Hour // after its last frame or hello

	pruneEvery = 24 * time.Hour
	mostCached = 1024 // clients held in memory
)

// clients is the memory's copy of the clients that were met since Start.
type clients struct {
	known  map[clientID]*client
	pruned easel.Time // when forgotten clients were last dropped from the file
}

// clientID names a client: nobody else can use its id.
type clientID struct{ user, client string }

// client is one row of the file and the sum of its verdicts.
type client struct {
	n    int64 // row; 0: not stored yet
	conn string
	last int64 // newest consumed seq
	seen easel.Time
}

// forgotten reports whether nothing is remembered of c any more.
func (c *client) forgotten(now easel.Time) bool {
	return c.n == 0 || now-c.seen > easel.Time(clientMemory.Milliseconds())
}

// client returns what is known of a client, with n 0 if nothing is. The value is
// a copy: settle puts it back.
func (s *State) client(t Turn, id clientID) (client, error) {
	if c, ok := s.clients.known[id]; ok {
		return *c, nil
	}
	c, err := loadClient(t.Tx(), id)
	if errors.Is(err, sqlite.ErrNoRows) {
		return client{}, nil
	}
	return c, err
}

// settle keeps c in memory.
func (s *State) settle(id clientID, c client) {
	if s.clients.known == nil || len(s.clients.known) >= mostCached {
		s.clients.known = make(map[clientID]*client)
	}
	s.clients.known[id] = &c
}

func (s *State) hello(t Turn, m Hello) (HelloReply, error) {
	if !opcodec.ValidClient(m.Client) {
		return HelloReply{}, easel.Invalid("client", "must have 1 to 64 bytes")
	}
	id, now := clientID{m.By.User, m.Client}, s.now(t)
	c, err := s.client(t, id)
	if err != nil {
		return HelloReply{}, err
	}
	out := HelloReply{Epoch: s.image.epoch, Ver: s.head.ver, Image: s.view(), LastMessage: s.head.message}
	if !c.forgotten(now) {
		out.Known, out.LastSeq = true, c.last
	}
	// A viewer's hello writes nothing, unless this client has written before and
	// so has connections to replace.
	if c.n == 0 && !m.By.Role.AtLeast(easel.Annotator) {
		return out, nil
	}
	old := c.conn
	if c.forgotten(now) {
		c.last = 0
	}
	c.conn = m.Conn
	if err := s.introduce(t, id, &c, now); err != nil {
		return HelloReply{}, err
	}
	s.settle(id, c)
	if old != "" && old != m.Conn {
		t.Publish(Replaced{User: m.By.User, Client: m.Client, Conn: old, By: m.Conn})
	}
	return out, nil
}

// introduce stores the row of a client. What was forgotten goes first, so that an
// old verdict cannot come back.
func (s *State) introduce(t Turn, id clientID, c *client, now easel.Time) error {
	tx := t.Tx()
	if c.n == 0 && now-s.clients.pruned > easel.Time(pruneEvery.Milliseconds()) {
		if err := pruneClients(tx, now-easel.Time(clientMemory.Milliseconds())); err != nil {
			return err
		}
		s.clients.known, s.clients.pruned = nil, now
	}
	if c.n != 0 && c.forgotten(now) {
		if err := deleteVerdicts(tx, c.n); err != nil {
			return err
		}
	}
	c.seen = now
	return storeClient(tx, id, c)
}

// applyOnce takes a batch that is named by its client and seq.
func (s *State) applyOnce(t Turn, m Apply) (Applied, error) {
	if !opcodec.ValidClient(m.Client) {
		return Applied{}, easel.Invalid("client", "must have 1 to 64 bytes")
	}
	if m.Seq < 1 {
		return Applied{}, easel.Invalid("seq", "must be an integer from 1")
	}
	id, now := clientID{m.By.User, m.Client}, s.now(t)
	c, err := s.client(t, id)
	if err != nil {
		return Applied{}, err
	}
	if m.Conn != "" && c.conn != "" && c.conn != m.Conn {
		return Applied{}, ErrReplaced
	}
	stale := c.forgotten(now)
	if stale {
		c.last = 0
	}
	if m.Seq <= c.last {
		return s.repeat(t, c, m)
	}
	if m.Seq != c.last+1 {
		return Applied{}, &easel.Error{
			Code: easel.CodeBadSeq, Message: fmt.Sprintf("seq %d is expected", c.last+1), Expected: c.last + 1,
		}
	}
	out, err := s.decideOnce(t, m)
	if err != nil {
		return Applied{}, err
	}
	if stale || c.conn == "" && m.Conn != "" {
		if c.conn == "" {
			c.conn = m.Conn
		}
		if err := s.introduce(t, id, &c, now); err != nil {
			return Applied{}, err
		}
	}
	c.last, c.seen = m.Seq, now
	if err := storeVerdict(t.Tx(), c.n, now, m.Hash, &out); err != nil {
		return Applied{}, err
	}
	s.settle(id, c)
	return out, nil
}

// decideOnce applies a batch whose turn it is. A permanent refusal is an answer;
// what is temporary is an error.
func (s *State) decideOnce(t Turn, m Apply) (Applied, error) {
	p, err := s.planOnce(t, m)
	if err == nil {
		out, err := s.accept(t, p, origin{conn: m.Conn, seq: m.Seq}, m.Full)
		return out, err
	}
	refused, ok := errors.AsType[*easel.Error](err)
	if !ok || refused.Code.Temporary() {
		return Applied{}, err
	}
	return Applied{Seq: m.Seq, Ver: s.head.ver, Epoch: s.image.epoch, Rejected: refused}, nil
}

func (s *State) planOnce(t Turn, m Apply) (*plan, error) {
	if err := s.writable(m.By); err != nil {
		return nil, err
	}
	if m.Refused != nil {
		return nil, m.Refused
	}
	return s.plan(t, m.By, m.Ops)
}

// repeat answers a consumed seq with its stored verdict.
func (s *State) repeat(t Turn, c client, m Apply) (Applied, error) {
	v, err := loadVerdict(t.Tx(), c.n, m.Seq)
	switch {
	case errors.Is(err, sqlite.ErrNoRows):
		return Applied{}, easel.Errorf(easel.CodeGone, "seq %d is older than the last %d verdicts", m.Seq, keptVerdicts)
	case err != nil:
		return Applied{}, err
	case v.hash != m.Hash:
		return Applied{}, easel.Errorf(easel.CodeConflict, "seq %d was used for other ops", m.Seq)
	}
	out := Applied{Seq: m.Seq, Ver: v.ver, Epoch: s.image.epoch}
	return out, v.decode(&out)
}

// A verdict's body is its kind, and then the error as JSON, or each result as the
// 16 bytes of its id and its rev as a varint.
const (
	verdictAccepted = 'a'
	verdictRejected = 'r'
)

func encodeVerdict(a *Applied) ([]byte, error) {
	if a.Rejected != nil {
		body := bytes.NewBuffer([]byte{verdictRejected})
		e := json.NewEncoder(body)
		e.SetEscapeHTML(false) // it would change the spelling of Current
		if err := e.Encode(a.Rejected); err != nil {
			return nil, fmt.Errorf("encode verdict: %w", err)
		}
		return body.Bytes(), nil
	}
	b := make([]byte, 1, 1+len(a.Results)*18)
	b[0] = verdictAccepted
	for _, r := range a.Results {
		b = binary.AppendUvarint(append(b, idBytes(r.ID)...), uint64(r.Rev))
	}
	return b, nil
}

// verdict is one stored answer.
type verdict struct {
	ver  int64
	hash string
	body []byte
}

var errVerdict = errors.New("canvas: malformed verdict")

// decode fills in the answer that was stored.
func (v *verdict) decode(out *Applied) error {
	if len(v.body) == 0 {
		return errVerdict
	}
	kind, b := v.body[0], v.body[1:]
	if kind == verdictRejected {
		out.Rejected = new(easel.Error)
		if err := json.Unmarshal(b, out.Rejected); err != nil {
			return fmt.Errorf("decode verdict: %w", err)
		}
		return nil
	}
	for len(b) > 0 {
		if len(b) < 17 {
			return errVerdict
		}
		rev, n := binary.Uvarint(b[16:])
		if n <= 0 {
			return errVerdict
		}
		out.Results = append(out.Results, easel.Result{ID: easel.ID(hex.EncodeToString(b[:16])), Rev: int64(rev)})
		b = b[16+n:]
	}
	return nil
}
