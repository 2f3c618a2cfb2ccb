package canvas

import (
	"context"
	"errors"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

const (
	probeFirst = 5 * time.Second // before a second try; then doubled
	probeLast  = 10 * time.Minute
)

// probe starts the dimension job. The alarm stays set until its result is here.
func (s *State) probe(t Turn) {
	read := s.options.Probe
	if read == nil || s.image.Width != 0 || s.image.unreadable != "" {
		return
	}
	owner, image := s.tenant, s.image.ID
	t.Go(func(ctx context.Context) actors.Message {
		width, height, err := read(ctx, owner, image)
		if err == nil {
			return Probed{Width: width, Height: height}
		}
		if e, ok := errors.AsType[*easel.Error](err); ok && !e.Code.Temporary() {
			return Probed{Failed: e.Message}
		}
		return nil // the alarm tries again
	})
	t.SetAlarm(alarmProbe, t.Now().Add(backoff(s.probes, probeFirst, probeLast)))
	s.probes++
}

// probed stores the result of the dimension job.
func (s *State) probed(t Turn, m Probed) error {
	if !s.image.born || s.image.purged || s.image.Width != 0 || s.image.unreadable != "" {
		return nil
	}
	next := s.image
	switch {
	case m.Failed != "":
		next.unreadable = m.Failed
	case m.Width < 1 || m.Height < 1:
		next.unreadable = "the file has no dimensions"
	default:
		next.Width, next.Height = m.Width, m.Height
	}
	t.ClearAlarm(alarmProbe)
	if next.unreadable == "" {
		if err := s.setRow(t, next); err != nil {
			return err
		}
		s.orderTiles(t)
		return nil
	}
	// Nothing that is shown has changed.
	if err := updateImage(t.Tx(), &next); err != nil {
		return err
	}
	s.image = next
	return nil
}
