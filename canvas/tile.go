package canvas

import (
	"context"
	"errors"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

const (
	tileFirst = 5 * time.Second // before a second try; then doubled
	tileLast  = 5 * time.Minute
	tileTries = 20 // then it is left to the next who asks
)

// tile starts the job that cuts a large image into tiles. The alarm stays set until
// it has ended.
func (s *State) tile(t Turn) {
	if s.tiles >= tileTries || !s.large() {
		s.tiles = 0
		t.ClearAlarm(alarmTiles)
		return
	}
	work, owner, image := s.options.Tile, s.tenant, s.image.ID
	t.Go(func(ctx context.Context) actors.Message {
		err := work(ctx, owner, image)
		if e, ok := errors.AsType[*easel.Error](err); err == nil || ok && !e.Code.Temporary() {
			return Tiled{}
		}
		return nil // the alarm tries again
	})
	t.SetAlarm(alarmTiles, t.Now().Add(backoff(s.tiles, tileFirst, tileLast)))
	s.tiles++
}

// large reports whether the image is to be cut into tiles.
func (s *State) large() bool {
	return s.options.Tile != nil && s.options.TileOver > 0 && max(s.image.Width, s.image.Height) > s.options.TileOver
}

// wantTiles has tiles made, unless that is on its way.
func (s *State) wantTiles(t Turn) error {
	switch {
	case !s.image.born || s.image.purged:
		return errNoImage
	case s.image.DeletedAt != 0:
		return errDeleted
	}
	s.orderTiles(t)
	return nil
}

func (s *State) orderTiles(t Turn) {
	if s.tiles == 0 && s.large() {
		s.tiles = 1 // until the alarm is due, which is at once
		t.SetAlarm(alarmTiles, t.Now())
	}
}

// tiled ends the job.
func (s *State) tiled(t Turn) {
	s.tiles = 0
	t.ClearAlarm(alarmTiles)
}
