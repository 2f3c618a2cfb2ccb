package actors

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/easelhq/easel/sqlite"
)

// PendingAlarm is an alarm that an actor's file holds.
type PendingAlarm struct {
	Key Key
	Due time.Time
}

// NextAlarm returns when the earliest alarm of an actor's file is due; the zero
// time if there is none. tx may be of a private copy.
func NextAlarm(tx *sqlite.Tx) (time.Time, error) {
	due, err := nextAlarm(tx)
	if err != nil || due == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(due), nil
}

// EnterAlarms makes the timers of a home know of alarms that no turn has set there:
// those of actors whose histories were brought from elsewhere. c needs Journal and
// Dir; no actor is called meanwhile.
func EnterAlarms(ctx context.Context, c Config, alarms []PendingAlarm) error {
	if len(alarms) == 0 {
		return nil
	}
	// Nothing is due in 1970: the timers only take down what they are told.
	c.Kinds, c.Ephemerals = nil, nil
	c.Now = func() time.Time { return time.Unix(0, 0) }
	s, err := New(c)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	var (
		wg    sync.WaitGroup
		queue = make(chan PendingAlarm)
		errs  = make([]error, 16)
	)
	for i := range errs {
		wg.Go(func() {
			for a := range queue {
				_, err := s.Ask(ctx, Request{
					To:      timerKey(a.Key, 0),
					Message: timerSet{Key: a.Key, Due: max(a.Due.UnixMilli(), 1), Tag: 1 + rand.Int64N(math.MaxInt64)},
				})
				if err != nil {
					errs[i] = fmt.Errorf("enter alarm of %s: %w", a.Key, err)
				}
			}
		})
	}
	for _, a := range alarms {
		queue <- a
	}
	close(queue)
	wg.Wait()
	return errors.Join(append(errs, s.Stop(ctx))...)
}
