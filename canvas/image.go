package canvas

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/easelhq/easel"
)

// MaxMetadata is the largest metadata of an image, in bytes of compact JSON.
const MaxMetadata = 64 << 10

func (s *State) birth(t Turn, m Birth) (ImageReply, error) {
	switch {
	case s.image.purged:
		return ImageReply{}, easel.Errorf(easel.CodeGone, "the image was removed")
	case s.image.born && s.image.ID != m.Image.ID:
		return ImageReply{}, easel.Errorf(easel.CodeConflict, "this is another image")
	case s.image.born:
		return s.reply(), nil
	case !m.Image.ID.Valid():
		return ImageReply{}, easel.Invalid("id", "must be 32 lower-case hex characters")
	case m.Width < 0 || m.Height < 0 || (m.Width == 0) != (m.Height == 0):
		return ImageReply{}, easel.Invalid("width", "and height must be known or not known both")
	}
	image := row{Image: m.Image, epoch: string(easel.NewID()), changes: 1, born: true}
	image.Width, image.Height, image.DeletedAt, image.Version, image.AnnotationCount = m.Width, m.Height, 0, 0, 0
	at := easel.At(t.Now())
	if image.CreatedAt == 0 {
		image.CreatedAt = at
	}
	if len(image.Metadata) == 0 || string(image.Metadata) == "null" {
		image.Metadata = json.RawMessage("{}")
	}
	if err := insertImage(t.Tx(), &image, m.Sums); err != nil {
		return ImageReply{}, err
	}
	if err := insertChange(t.Tx(), &image, 0, image.CreatedAt, 0); err != nil {
		return ImageReply{}, err
	}
	s.image = image
	s.head = head{at: max(at, image.CreatedAt), commit: t.Commit()}
	if s.image.Width != 0 {
		s.orderTiles(t)
	} else if s.options.Probe != nil {
		t.SetAlarm(alarmProbe, t.Now())
	}
	return s.reply(), nil
}

// looked answers a Look at an image that may be looked at.
func (s *State) looked(t Turn, m Look) (reply ImageReply, err error) {
	reply = s.reply()
	if m.Sums {
		reply.Sums, err = loadSums(t.Tx())
	}
	return reply, err
}

// owns requires the right to rename, delete and restore the image.
func (s *State) owns(by Author, what string) error {
	if by.User != s.image.UploadedBy {
		return may(by, easel.Admin, what+" somebody else's image")
	}
	return may(by, easel.Annotator, what+" an image")
}

func (s *State) amend(t Turn, m Amend) (ImageReply, error) {
	if err := s.owns(m.By, "change"); err != nil {
		return ImageReply{}, err
	}
	next := s.image
	if m.Filename != nil {
		if !validFilename(*m.Filename) {
			return ImageReply{}, easel.Invalid("filename", "must be a base name of 1 to 255 bytes")
		}
		next.Filename = *m.Filename
	}
	if m.Metadata != nil {
		var compact bytes.Buffer
		if err := json.Compact(&compact, m.Metadata); err != nil || compact.Len() == 0 || compact.Bytes()[0] != '{' {
			return ImageReply{}, easel.Invalid("metadata", "must be a JSON object")
		}
		if compact.Len() > MaxMetadata {
			return ImageReply{}, easel.Invalid("metadata", "must have at most 65536 bytes")
		}
		next.Metadata = compact.Bytes()
	}
	if next.Filename == s.image.Filename && bytes.Equal(next.Metadata, s.image.Metadata) {
		return s.reply(), nil
	}
	if err := s.setRow(t, next); err != nil {
		return ImageReply{}, err
	}
	return s.reply(), nil
}

func validFilename(name string) bool {
	return name != "" && len(name) <= easel.MaxFilename && utf8.ValidString(name) && name != "." && name != ".." &&
		!strings.ContainsAny(name, `/\`) && !strings.ContainsFunc(name, unicode.IsControl)
}

func (s *State) softDelete(t Turn, m SoftDelete) error {
	if err := s.owns(m.By, "delete"); err != nil {
		return err
	}
	if s.image.DeletedAt != 0 {
		return nil
	}
	next := s.image
	next.DeletedAt = s.now(t)
	return s.setRow(t, next)
}

func (s *State) restore(t Turn, m Restore) (ImageReply, error) {
	if err := s.owns(m.By, "restore"); err != nil {
		return ImageReply{}, err
	}
	if s.image.DeletedAt == 0 {
		return s.reply(), nil
	}
	// It is purged the next time that somebody looks.
	if !t.Now().Before(s.image.DeletedAt.Std().Add(s.options.Retention)) {
		return ImageReply{}, easel.Errorf(easel.CodeGone, "the image was deleted too long ago to be restored")
	}
	next := s.image
	next.DeletedAt = 0
	if err := s.setRow(t, next); err != nil {
		return ImageReply{}, err
	}
	s.restored = t.Commit()
	return s.reply(), nil
}

// setRow stores a changed row of the image and tells everyone.
func (s *State) setRow(t Turn, next row) error {
	next.changes++
	if err := updateImage(t.Tx(), &next); err != nil {
		return err
	}
	at := s.now(t)
	if err := insertChange(t.Tx(), &next, s.head.ver, at, s.cutoff(t)); err != nil {
		return err
	}
	s.image, s.head.at = next, at
	s.touch(t)
	t.Publish(ImageChanged{Image: s.view()})
	return nil
}

func (s *State) purge(t Turn, m Purge) error {
	switch {
	case !s.image.born:
		return errNoImage
	case s.image.purged:
		return nil
	case s.image.DeletedAt == 0:
		return easel.Errorf(easel.CodeConflict, "the image is not deleted")
	case m.Before != 0 && s.image.DeletedAt >= m.Before:
		return easel.Errorf(easel.CodeConflict, "the image was deleted later")
	case len(s.intents.pending) > 0:
		return &easel.Error{Code: easel.CodeUnavailable, Message: "a bulk is undecided", RetryAfter: time.Second}
	}
	if err := wipe(t.Tx()); err != nil {
		return err
	}
	for _, name := range []string{alarmProbe, alarmTiles, alarmOutbox, alarmIntents, alarmArchive, alarmForget} {
		t.ClearAlarm(name)
	}
	*s = State{options: s.options, tenant: s.tenant, image: row{Image: easel.Image{ID: s.image.ID}, born: true, purged: true}}
	return nil
}
