package canvas

import (
	"context"
	"errors"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// Archive keeps the objects of images' history. It is called outside of turns
// only, by several goroutines at once.
type Archive interface {
	// Put stores an object for good; a repeat with the same name and bytes changes
	// nothing.
	Put(ctx context.Context, tenant easel.TenantID, image easel.ID, name string, object []byte) error
	// Get returns CodeGone if there is no such object.
	Get(ctx context.Context, tenant easel.TenantID, image easel.ID, name string) ([]byte, error)
	// Delete removes an object; none is no error.
	Delete(ctx context.Context, tenant easel.TenantID, image easel.ID, name string) error
}

// Sizes of history.
const (
	mostChunkRows  = 4096     // batches in a chunk
	mostChunkBytes = 2 << 20  // of its batches as JSON, unless one is larger
	mostLogBytes   = 16 << 20 // of the log: with large batches it keeps fewer rows

	// A state is made of a keyframe and the chunks after it: of so many at most, and
	// of fewer if a keyframe costs no more than those.
	mostBetween   = 16
	keyframeBytes = 350 // of an annotation in a keyframe, as JSON
	mostForgotten = 64  // chunks dropped at once

	archiveFirst = 10 * time.Second // before a second try; then doubled
	archiveLast  = 10 * time.Minute
)

// Names of the alarms of history.
const (
	alarmArchive = "archive"
	alarmForget  = "forget"
)

// tail is where the log begins, and what is done about it. The log may have
// reached further back: those batches are in chunks.
type tail struct {
	first   int64 // oldest version in the log; 0: it is empty
	before  int64 // bytes of all batches before first
	armed   bool  // an alarm to archive is set
	tries   int   // to archive, since the last success
	forgets bool  // an alarm to forget is set, or there is nothing to forget yet
}

// lengthened notes that the log has one more row, and makes its oldest leave when
// there are enough of them.
func (s *State) lengthened(t Turn) {
	if s.tail.first == 0 {
		s.tail.first = s.head.ver
	}
	if !s.tail.armed && s.overlong() {
		s.tail.armed = true
		t.SetAlarm(alarmArchive, t.Now())
	}
}

// chunkRows is how many batches leave the log at once.
func (s *State) chunkRows() int64 { return min(mostChunkRows, int64(s.options.OpLogKeep)) }

// overlong reports whether a whole chunk is beyond what the log keeps.
func (s *State) overlong() bool {
	rows := s.head.ver - s.tail.first + 1 - int64(s.options.OpLogKeep)
	size := s.head.total - s.tail.before - mostLogBytes
	return s.options.Archive != nil && s.tail.first != 0 && (rows >= s.chunkRows() || size >= mostChunkBytes)
}

// archive starts the job that puts the oldest batches of the log into objects. The
// alarm stays set until its result is here. What is chosen follows from the file
// alone, so that a repeat puts the same objects under the same names.
func (s *State) archive(t Turn) error {
	s.tail.armed = false
	if !s.overlong() {
		return nil
	}
	tx, first := t.Tx(), s.tail.first
	// The newest row stays whatever its size: it says where the image stands.
	records, err := loadRecords(tx, first, min(first+s.chunkRows(), s.head.ver)-1, mostChunkBytes)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return nil
	}
	c := Chunk{
		First: first, Last: first + int64(len(records)) - 1, Began: records[0].at, Ended: records[len(records)-1].at,
	}
	for _, r := range records {
		c.Bytes += int64(len(r.body))
	}
	before, ok, err := loadChunks(tx, first-1)
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("canvas: the log is not preceded by its history")
	}
	j := job{archive: s.options.Archive, tenant: s.tenant, image: s.image.ID, chunk: c, records: records}
	if wantsKeyframe(before, records[0].live) {
		j.before = before
	}
	t.Go(j.run)
	s.tail.armed = true
	t.SetAlarm(alarmArchive, t.Now().Add(backoff(s.tail.tries, archiveFirst, archiveLast)))
	s.tail.tries++
	return nil
}

// wantsKeyframe decides whether a chunk starts with a keyframe: when replaying the
// chunks before it has become dearer than reading one, so that keyframes at most
// double what history takes.
func wantsKeyframe(before []Chunk, live int64) bool {
	size := int64(0)
	for _, c := range before {
		size += c.Bytes
	}
	return len(before) >= mostBetween || len(before) > 0 && size >= live*keyframeBytes
}

// job puts a chunk's objects. It owns what it holds.
type job struct {
	archive Archive
	tenant  easel.TenantID
	image   easel.ID
	chunk   Chunk
	records []record
	before  []Chunk // that the keyframe is made of; none: there is no keyframe
}

// run returns nil if something failed: the alarm tries again.
func (j *job) run(ctx context.Context) actors.Message {
	c := j.chunk
	if len(j.before) > 0 {
		s := Scene{Image: j.image}
		if err := s.Replay(ctx, j.archive, j.tenant, j.before, c.First-1); err != nil {
			return nil
		}
		object := encodeKeyframe(j.image, &s)
		c.Keyframe = objectName(kindKeyframe, c.First-1, c.First-1, hashOf(object))
		if err := j.archive.Put(ctx, j.tenant, j.image, c.Keyframe, object); err != nil {
			return nil
		}
	}
	object := encodeOps(j.image, c.First, j.records)
	c.Ops = objectName(kindOps, c.First, c.Last, hashOf(object))
	if err := j.archive.Put(ctx, j.tenant, j.image, c.Ops, object); err != nil {
		return nil
	}
	return Archived{Chunk: c}
}

// Replay makes the scene that of version ver, which the chunks, as they are in a
// Located, lead up to. Errors as ErrDamaged, and as Archive.Get.
func (s *Scene) Replay(ctx context.Context, a Archive, tenant easel.TenantID, chunks []Chunk, ver int64) error {
	for i, c := range chunks {
		if i == 0 && c.Keyframe != "" {
			object, err := a.Get(ctx, tenant, s.Image, c.Keyframe)
			if err != nil {
				return err
			}
			if err := s.Keyframe(c, object); err != nil {
				return err
			}
		}
		if s.Ver >= ver {
			return nil
		}
		object, err := a.Get(ctx, tenant, s.Image, c.Ops)
		if err != nil {
			return err
		}
		var failed error
		err = c.Batches(s.Image, s.Ver, object, func(m *easel.Batch, _ int64) bool {
			if m.Ver > ver {
				return false
			}
			failed = s.Apply(m)
			return failed == nil
		})
		if err := errors.Join(err, failed); err != nil {
			return err
		}
	}
	return nil
}

// archived records a chunk whose objects are durable, and takes its batches out of
// the log.
func (s *State) archived(t Turn, c Chunk) error {
	if !s.image.born || s.image.purged || c.First != s.tail.first || c.Last >= s.head.ver {
		return nil // a repeat of what has happened, or the image is no more
	}
	if err := insertChunk(t.Tx(), &c); err != nil {
		return err
	}
	s.tail.first, s.tail.before, s.tail.tries = c.Last+1, s.tail.before+c.Bytes, 0
	if s.tail.armed = s.overlong(); s.tail.armed {
		t.SetAlarm(alarmArchive, t.Now())
	} else {
		t.ClearAlarm(alarmArchive)
	}
	if s.tail.forgets || c.Keyframe == "" {
		return nil
	}
	_, err := s.planForget(t)
	return err
}

// cutoff is the time up to which nothing of the past is answered.
func (s *State) cutoff(t Turn) easel.Time {
	return easel.At(t.Now().Add(-s.options.History))
}

// planForget finds the version before which no chunk is needed any more, 0 for
// none, and sets the alarm for when there will be another. A chunk is needed as
// long as a state that it shows is within the retention, or is replayed from it.
func (s *State) planForget(t Turn) (before int64, err error) {
	var (
		due  easel.Time
		last Chunk
	)
	cutoff := s.cutoff(t)
	err = liveChunks(t.Tx(), func(c Chunk) {
		switch {
		case c.Keyframe == "" || last.Last == 0:
		case last.Ended <= cutoff:
			before = c.First
		case due == 0:
			due = last.Ended
		}
		last = c
	})
	if err != nil {
		return 0, err
	}
	switch {
	case due != 0:
		t.SetAlarm(alarmForget, due.Std().Add(s.options.History+time.Millisecond))
		s.tail.forgets = true
	default:
		s.tail.forgets = false
	}
	return before, nil
}

// forget starts the job that deletes the objects of chunks that nobody may ask for
// any more. The alarm stays set until its result is here.
func (s *State) forget(t Turn) error {
	before, err := s.planForget(t)
	if err != nil {
		return err
	}
	gone, err := dropChunks(t.Tx(), before, mostForgotten)
	if err != nil || len(gone) == 0 || s.options.Archive == nil {
		return err
	}
	archive, tenant, image := s.options.Archive, s.tenant, s.image.ID
	t.Go(func(ctx context.Context) actors.Message {
		for _, c := range gone {
			for _, name := range []string{c.Ops, c.Keyframe} {
				if name == "" {
					continue
				}
				if err := archive.Delete(ctx, tenant, image, name); err != nil {
					return nil // the alarm tries again
				}
			}
		}
		return Forgotten{Before: gone[len(gone)-1].First + 1}
	})
	t.SetAlarm(alarmForget, t.Now().Add(archiveLast))
	s.tail.forgets = true
	return nil
}

// forgotten ends what forget began, and goes on with what is left.
func (s *State) forgotten(t Turn, before int64) error {
	if !s.image.born || s.image.purged {
		return nil
	}
	if err := forgetChunks(t.Tx(), before); err != nil {
		return err
	}
	t.ClearAlarm(alarmForget)
	more, err := s.planForget(t)
	if err == nil && more != 0 {
		t.SetAlarm(alarmForget, t.Now())
		s.tail.forgets = true
	}
	return err
}

// startHistory reads where the log begins, when the image's row last changed, and
// makes a file of an older binary let go of what it has too much.
func (s *State) startHistory(t Turn) error {
	var err error
	if s.tail.first, s.tail.before, err = loadTail(t.Tx()); err != nil {
		return err
	}
	changed, err := lastChange(t.Tx())
	if err != nil {
		return err
	}
	s.head.at = max(s.head.at, changed)
	if !s.image.purged && s.overlong() {
		s.tail.armed = true
		t.SetAlarm(alarmArchive, t.Now())
	}
	return nil
}
