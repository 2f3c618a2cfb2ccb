package canvas

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/tenant"
)

// State is one image. It holds in memory only what can be read again from its
// file. Whether a message is refused is known before anything changes; if a write
// then fails, the state is read again before the next message.
type State struct {
	options Options
	tenant  easel.TenantID
	image   row
	head    head
	clients clients
	intents intents
	labels  labels
	listing listing
	// restored is the commit that brought the image back from a soft delete: any
	// list tells of it.
	restored int64
	outbox   outbox
	tail     tail
	text     text
	probes   int // tries of the dimension job since Start
	tiles    int // tries of the job that makes tiles since Start; 0: none is on its way
	broken   bool
}

// row is the image's own row. Version and AnnotationCount of the Image are in
// head.
type row struct {
	easel.Image
	epoch      string
	changes    int64 // of this row, from 1
	unreadable string
	born       bool
	purged     bool
}

// head is where the op log stands.
type head struct {
	ver     int64
	at      easel.Time // newest time given out: of a batch or a chat message
	live    int64      // annotations
	message easel.ID   // newest chat message
	commit  int64      // the runtime's number of the commit that made ver
	total   int64      // bytes of all batches as JSON
}

// New makes the state of the image with this key. Start must be its first call.
func New(key actors.Key, o Options) *State {
	owner, _, _ := strings.Cut(key.ID, "/")
	return &State{options: o.withDefaults(), tenant: easel.TenantID(owner)}
}

// Start reads the state from the file.
func (s *State) Start(t Turn) error {
	tx := t.Tx()
	image, err := loadImage(tx)
	if errors.Is(err, sqlite.ErrNoRows) {
		return nil // to be born
	}
	if err != nil {
		return err
	}
	h, err := loadHead(tx)
	if err != nil {
		return err
	}
	pending, err := loadIntents(tx)
	if err != nil {
		return err
	}
	// After a panic the file is ahead of what is durable, by this turn at most.
	h.commit, s.restored = t.Commit(), t.Commit()
	s.image, s.head, s.intents = image, h, pending
	return s.startHistory(t)
}

// Receive handles one message and returns its answer.
func (s *State) Receive(t Turn, m actors.Message) (actors.Message, error) {
	if err := s.mend(t); err != nil {
		return nil, err
	}
	answer, err := s.receive(t, m)
	s.broken = easel.CodeOf(err) == easel.CodeInternal
	return answer, err
}

// mend reads the state again after a turn in which the file failed: its writes
// were undone, and some of them may already have been noted in memory.
func (s *State) mend(t Turn) error {
	if !s.broken {
		return nil
	}
	again := New(t.Key(), s.options)
	if err := again.Start(t); err != nil {
		return err
	}
	*s = *again
	return nil
}

func (s *State) receive(t Turn, m actors.Message) (actors.Message, error) {
	switch m := m.(type) {
	case Birth:
		return s.birth(t, m)
	case WantTiles:
		return Empty{}, s.wantTiles(t)
	case Tiled:
		s.tiled(t)
		return Empty{}, nil
	case Probed:
		return Empty{}, s.probed(t, m)
	case Synced:
		return Empty{}, s.synced(t, m.Seq)
	case tenant.Synced:
		return Empty{}, s.synced(t, m.Seq)
	case Decide:
		return Empty{}, s.decide(t, m, true)
	case tenant.Verdict:
		return Empty{}, s.decide(t, Decide(m), false)
	case Purge:
		return Empty{}, s.purge(t, m)
	case Archived:
		return Empty{}, s.archived(t, m.Chunk)
	case Forgotten:
		return Empty{}, s.forgotten(t, m.Before)
	}
	if !s.image.born || s.image.purged {
		return nil, errNoImage
	}
	switch m := m.(type) {
	case Look:
		if s.image.DeletedAt != 0 && !m.Deleted {
			return nil, errDeleted
		}
		return s.looked(t, m)
	case SoftDelete:
		return Empty{}, s.softDelete(t, m)
	case Restore:
		return s.restore(t, m)
	case Apply:
		return s.apply(t, m) // a client's seq is consumed even by a deleted image
	}
	if s.image.DeletedAt != 0 {
		return nil, errDeleted
	}
	switch m := m.(type) {
	case Amend:
		return s.amend(t, m)
	case Hello:
		return s.hello(t, m)
	case List:
		return s.list(t, m)
	case One:
		return s.one(t, m)
	case Log:
		return s.log(t, m)
	case Page:
		return s.page(t, m)
	case Say:
		return s.say(t, m)
	case Messages:
		return s.messages(t, m)
	case Prepare:
		return Empty{}, s.prepare(t, m)
	case Judge:
		return s.judge(t, m)
	case Locate:
		return s.locate(t, m)
	case BeginRevert:
		return s.beginRevert(t, m)
	case Revert:
		return s.revert(t, m)
	default:
		return nil, fmt.Errorf("canvas: unknown message %s", m.MessageName())
	}
}

// Names of alarms.
const (
	alarmProbe   = "probe"
	alarmTiles   = "tiles"
	alarmOutbox  = "outbox"
	alarmIntents = "intents"
)

// Alarm does what is due.
func (s *State) Alarm(t Turn, name string) error {
	if err := s.mend(t); err != nil {
		return err
	}
	err := s.alarm(t, name)
	s.broken = easel.CodeOf(err) == easel.CodeInternal
	return err
}

func (s *State) alarm(t Turn, name string) error {
	if !s.image.born || s.image.purged {
		return nil
	}
	switch name {
	case alarmProbe:
		s.probe(t)
		return nil
	case alarmTiles:
		s.tile(t)
		return nil
	case alarmOutbox:
		return s.send(t)
	case alarmIntents:
		s.ask(t)
		return nil
	case alarmArchive:
		return s.archive(t)
	case alarmForget:
		return s.forget(t)
	default:
		return nil // of an older binary
	}
}

var (
	errNoImage = &easel.Error{Code: easel.CodeNotFound, Message: "no such image"}
	errDeleted = &easel.Error{Code: easel.CodeGone, Message: "the image is deleted"}
)

// now returns the time of what this turn makes: it never goes back.
func (s *State) now(t Turn) easel.Time { return max(easel.At(t.Now()), s.head.at) }

// view returns the image's row as clients see it.
func (s *State) view() easel.Image {
	image := s.image.Image
	image.Version, image.AnnotationCount = s.head.ver, s.head.live
	return image
}

func (s *State) reply() ImageReply {
	return ImageReply{Image: s.view(), Epoch: s.image.epoch, Ver: s.head.ver, Seq: s.seq(), Message: s.head.message}
}

// may requires that a role may do what least may.
func may(by Author, least easel.Role, what string) error {
	if !by.Role.AtLeast(least) {
		return easel.Errorf(easel.CodeForbidden, "role %q may not %s", by.Role, what)
	}
	return nil
}

// backoff returns the delay before try n (from 0): first, doubled each time, at
// most last.
func backoff(n int, first, last time.Duration) time.Duration {
	return min(last, first<<min(n, 16))
}
