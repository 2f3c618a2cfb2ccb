package live

import (
	"context"
	"sync"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// What became of a read of a copy.
const (
	outcomeAnswered = "answered"
	outcomeNone     = "none"
	outcomeBehind   = "behind"
	outcomeStale    = "stale"
)

// View is an image as a room of this node has it, at one version.
type View struct {
	Epoch string
	Ver   int64
	Age   time.Duration // it shows all that was acknowledged longer ago than this

	outcome string
	one     *easel.Annotation
	all     *still
}

// Good reports whether the view shows what was asked for. Otherwise the image has
// to be asked.
func (v View) Good() bool { return v.outcome == outcomeAnswered }

// Stale reports whether there is a copy that would do, but for its age.
func (v View) Stale() bool { return v.outcome == outcomeStale }

// Behind reports whether there is a copy that would do, had it reached the version
// in time.
func (v View) Behind() bool { return v.outcome == outcomeBehind }

// One returns the annotation that was asked for, of a good view. It is shared and
// must not be changed.
func (v View) One() *easel.Annotation { return v.one }

// List answers m, of a good view of all annotations, byte for byte as the image
// would at this version. The result is shared and must not be changed.
func (v View) List(m canvas.List) (canvas.Listing, error) {
	sheet, err := v.all.encoded()
	if err != nil {
		return canvas.Listing{}, err
	}
	return canvas.Listing{Body: sheet.List(m), Epoch: v.Epoch, Ver: v.Ver}, nil
}

// still is a replica at one version, for readers on other goroutines. It is
// encoded when the first of them asks, one at a time, and not by the room.
type still struct {
	ver int64
	all []canvas.Placed

	mu    sync.Mutex // guards sheet
	sheet *canvas.Sheet
}

// freeze returns the replica as it is now, at ver.
func (r *replica) freeze(ver int64) *still {
	if r.still == nil || r.still.ver != ver {
		all := make([]canvas.Placed, 0, len(r.at))
		for i, a := range r.list {
			if a != nil {
				all = append(all, canvas.Placed{Annotation: a, Ver: r.places[i][0], Pos: r.places[i][1]})
			}
		}
		r.still = &still{ver: ver, all: all}
	}
	return r.still
}

func (s *still) encoded() (*canvas.Sheet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sheet != nil {
		return s.sheet, nil
	}
	sheet, err := canvas.NewSheet(s.ver, s.all)
	if err == nil && sheet.Kept() {
		s.sheet = sheet
	}
	return sheet, err
}

const (
	// reachFor is how long a read waits for the version that it must have reached;
	// reachPoll is how often it looks.
	reachFor  = 2 * time.Second
	reachPoll = 25 * time.Millisecond
)

// Look returns the copy that this node has of an image, because somebody here
// watches it, if it has reached since (a zero since: whatever it has reached) and
// is no older than MaxAge: all of it, or one annotation. It asks no other node; it
// waits up to 2 s for since if the copy is behind. What comes back is Good, or the
// image has to be asked.
func (r *Rooms) Look(ctx context.Context, image actors.Key, since Position, one easel.ID) View {
	v := r.look(ctx, Key(image), glance{since, one})
	r.metrics.reads.WithLabelValues(v.outcome).Inc()
	return v
}

func (r *Rooms) look(ctx context.Context, room actors.Key, m glance) View {
	none := View{outcome: outcomeNone}
	r.mu.Lock()
	asker, seats := r.asker, r.places[room]
	r.mu.Unlock()
	if seats == 0 {
		return none
	}
	ctx, cancel := context.WithTimeout(ctx, reachFor)
	defer cancel()
	var tick *time.Ticker
	for {
		v, err := actors.Ask[View](ctx, asker, actors.Request{To: room, Message: m})
		switch {
		case err != nil:
			return none
		case v.outcome != outcomeBehind:
			return v
		}
		if tick == nil {
			tick = time.NewTicker(reachPoll)
			defer tick.Stop()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return v
		}
	}
}
