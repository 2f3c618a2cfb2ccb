package blob_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/easelhq/easel/blob"
)

func TestRoundsBeginAfterTheCallsThatShareThem(t *testing.T) {
	var (
		r       blob.Rounds
		changed atomic.Int64
		seen    atomic.Int64
		rounds  atomic.Int64
		wg      sync.WaitGroup
	)
	const callers, calls = 16, 200
	for range callers {
		wg.Go(func() {
			for range calls {
				mine := changed.Add(1)
				if err := r.Do(func() error {
					rounds.Add(1)
					seen.Store(changed.Load())
					return nil
				}); err != nil {
					t.Error(err)
				}
				if got := seen.Load(); got < mine {
					t.Errorf("a round saw %d changes and was told to be enough for change %d", got, mine)
				}
			}
		})
	}
	wg.Wait()
	if n := rounds.Load(); n > callers*calls {
		t.Errorf("%d rounds for %d calls", n, callers*calls)
	}
}

func TestRoundsAreSharedByThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			r      blob.Rounds
			rounds atomic.Int64
			wg     sync.WaitGroup
		)
		failed := errors.New("as asked")
		free := make(chan struct{})
		wg.Go(func() {
			_ = r.Do(func() error { rounds.Add(1); <-free; return nil })
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() {
				if err := r.Do(func() error { rounds.Add(1); return failed }); !errors.Is(err, failed) {
					t.Errorf("got %v, want the round's error", err)
				}
			})
		}
		synctest.Wait()
		close(free)
		wg.Wait()
		if n := rounds.Load(); n != 2 {
			t.Errorf("%d rounds, want 2", n)
		}
	})
}
