package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
)

// Histories is the part of a journal.Journal that erasing needs.
type Histories interface {
	Names(ctx context.Context, prefix journal.Name, each func(journal.Name) bool) error
	Erase(ctx context.Context, name journal.Name) error
}

// Eraser removes whole tenants. What is to be erased is an object in the store
// before anybody is told, so that any node goes on with it after a crash.
//
// It sweeps three times: at once; ten minutes later, for what requests that were
// under way have still brought; and a day later, for what a node that was cut off
// meanwhile has written. Then only tombstones and seals are left, which hold hashes.
type Eraser struct{ c EraserConfig }

// EraserConfig is what an Eraser works with. All but Purge, Delays and PurgeFor must
// be there.
type EraserConfig struct {
	Histories Histories
	Blobs     blob.Store
	Actors    actors.Asker
	// Bar lets nobody of a tenant in on this node, and ends who is; it is called
	// again and again.
	Bar func(easel.TenantID)
	// Purge makes a home whose log is shared by actors let go of erased data now;
	// nil: it has no such log.
	Purge    func(context.Context) error
	PurgeFor time.Duration   // how long Purge may take; 0: 2 min
	Delays   []time.Duration // from the request to each sweep; nil: 0, 10 min, 24 h
	Now      func() time.Time
	Log      *slog.Logger
}

// NewEraser makes an Eraser; it does nothing by itself.
func NewEraser(c EraserConfig) *Eraser {
	if c.Delays == nil {
		c.Delays = []time.Duration{0, 10 * time.Minute, 24 * time.Hour}
	}
	if c.PurgeFor == 0 {
		c.PurgeFor = 2 * time.Minute
	}
	return &Eraser{c}
}

// erasure is the object that says that a tenant is to be erased. It is named by the
// tenant's id and holds nothing of the tenant.
type erasure struct {
	RequestedAt easel.Time `json:"requested_at"`
	Sweeps      int        `json:"sweeps"` // that were done
}

// Request erases a tenant: when it returns nil that is durable, nobody of the tenant
// is let in on this node any more, and its name is never used again. The data goes
// with the next Work. A repeat changes nothing. CodeUnavailable: the outcome is
// unknown.
func (e *Eraser) Request(ctx context.Context, id easel.TenantID) error {
	record, err := json.Marshal(erasure{RequestedAt: easel.At(e.c.Now())})
	if err != nil {
		return err
	}
	if _, err := e.c.Blobs.PutIfAbsent(ctx, eraseKey(id), record); err != nil && !errors.Is(err, blob.ErrExists) {
		return unreachable(err)
	}
	e.c.Bar(id)
	if err := e.bury(ctx, tenantName(id)); err != nil {
		return unreachable(err)
	}
	e.c.Log.InfoContext(ctx, "tenant is being erased", "tenant", id)
	return nil
}

func unreachable(err error) error {
	return &easel.Error{Code: easel.CodeUnavailable, Message: "the durable home cannot be reached; the outcome is unknown", RetryAfter: time.Second, Err: err}
}

// Load bars the tenants that are being erased, whoever was asked to, and returns
// how many there are. A node calls it before it serves.
func (e *Eraser) Load(ctx context.Context) (int, error) {
	ids, err := e.requested(ctx)
	for _, id := range ids {
		e.c.Bar(id)
	}
	return len(ids), err
}

func (e *Eraser) requested(ctx context.Context) ([]easel.TenantID, error) {
	prefix := eraseKey("")
	var ids []easel.TenantID
	for after := ""; ; {
		found, err := e.c.Blobs.List(ctx, prefix, after, listed)
		if err != nil {
			return ids, fmt.Errorf("list erasures: %w", err)
		}
		for _, info := range found {
			after = info.Key
			if id := easel.ID(strings.TrimPrefix(info.Key, prefix)); id.Valid() {
				ids = append(ids, easel.TenantID(id))
			}
		}
		if len(found) < listed {
			return ids, nil
		}
	}
}

// Work bars all tenants that are being erased, and does the sweeps that are due. It
// returns how many it did.
func (e *Eraser) Work(ctx context.Context) (done int, err error) {
	ids, err := e.requested(ctx)
	var errs []error
	for _, id := range ids {
		e.c.Bar(id)
		swept, err := e.step(ctx, id)
		if err != nil {
			errs = append(errs, fmt.Errorf("erase tenant %s: %w", id, err))
		}
		if swept {
			done++
		}
	}
	return done, errors.Join(append(errs, err)...)
}

// step does the next sweep of a tenant, if it is due.
func (e *Eraser) step(ctx context.Context, id easel.TenantID) (swept bool, err error) {
	record, version, err := e.read(ctx, id)
	if errors.Is(err, blob.ErrNotFound) {
		return false, nil // another node has ended it
	}
	if err != nil {
		return false, err
	}
	n := min(record.Sweeps, len(e.c.Delays)-1)
	if e.c.Now().Before(record.RequestedAt.Std().Add(e.c.Delays[n])) {
		return false, nil
	}
	removed, err := e.sweep(ctx, id, n > 0)
	if err != nil {
		return false, err
	}
	e.c.Log.InfoContext(ctx, "tenant was swept", "tenant", id, "sweep", n+1, "removed", removed)
	if record.Sweeps++; record.Sweeps >= len(e.c.Delays) {
		return true, e.c.Blobs.Delete(ctx, eraseKey(id))
	}
	b, err := json.Marshal(record)
	if err != nil {
		return true, err
	}
	_, err = e.c.Blobs.PutIfMatch(ctx, eraseKey(id), b, version)
	if errors.Is(err, blob.ErrExists) {
		err = nil // another node was as fast
	}
	return true, err
}

func (e *Eraser) read(ctx context.Context, id easel.TenantID) (erasure, blob.Version, error) {
	var out erasure
	r, info, err := e.c.Blobs.Get(ctx, eraseKey(id), blob.All)
	if err != nil {
		return out, "", err
	}
	b, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, info.Version, err
}

// tombstones is a home in which something may arrive after an erasure.
type tombstones interface {
	Tombstones(ctx context.Context, prefix journal.Name, each func(journal.Name) bool) error
}

// sweep removes all that there is of a tenant. Again: also what has arrived since
// for actors that were erased before.
func (e *Eraser) sweep(ctx context.Context, id easel.TenantID, again bool) (removed int, err error) {
	var names []journal.Name
	note := func(n journal.Name) bool { names = append(names, n); return ctx.Err() == nil }
	if err := e.c.Histories.Names(ctx, imagesOf(id), note); err != nil {
		return 0, fmt.Errorf("list images: %w", err)
	}
	removed = len(names)
	if late, ok := e.c.Histories.(tombstones); ok && again {
		if err := late.Tombstones(ctx, imagesOf(id), note); err != nil {
			return 0, fmt.Errorf("list erased images: %w", err)
		}
	}
	// The tenant itself first: nothing of it may be brought to life in between.
	if err := e.bury(ctx, tenantName(id)); err != nil {
		return 0, err
	}
	if err := atOnce(ctx, names, e.bury); err != nil {
		return 0, err
	}
	blobs, err := e.dropBlobs(ctx, id)
	if err != nil {
		return 0, err
	}
	if err := e.c.Blobs.Delete(ctx, markerKey(id)); err != nil {
		return 0, err
	}
	if e.c.Purge != nil {
		purging, cancel := context.WithTimeout(ctx, e.c.PurgeFor)
		defer cancel()
		if err := e.c.Purge(purging); err != nil {
			return 0, err
		}
	}
	return removed + blobs, nil
}

// bury erases one actor for good: its history, its working copy on whichever node
// has one, and its wake-ups.
func (e *Eraser) bury(ctx context.Context, n journal.Name) error {
	if err := e.c.Histories.Erase(ctx, n); err != nil {
		return fmt.Errorf("erase %s: %w", n, err)
	}
	kind, id, _ := strings.Cut(string(n), "/")
	key := actors.Key{Kind: kind, ID: id}
	if _, err := e.c.Actors.Ask(ctx, actors.Request{To: key, Message: actors.Expel{}}); err != nil {
		return fmt.Errorf("expel %s: %w", n, err)
	}
	if err := actors.ForgetAlarms(ctx, e.c.Actors, key); err != nil {
		return fmt.Errorf("forget alarms of %s: %w", n, err)
	}
	return nil
}

func (e *Eraser) dropBlobs(ctx context.Context, id easel.TenantID) (int, error) {
	var keys []string
	err := eachBlob(ctx, e.c.Blobs, id, func(info blob.Info) error {
		keys = append(keys, info.Key)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(keys), atOnce(ctx, keys, e.c.Blobs.Delete)
}

// workers is how many actors or blobs are erased at once.
const workers = 8

// atOnce calls work for each, some at once, and returns the first error.
func atOnce[T any](ctx context.Context, all []T, work func(context.Context, T) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	queue := make(chan T)
	var wg sync.WaitGroup
	for range min(workers, len(all)) {
		wg.Go(func() {
			for one := range queue {
				if err := work(ctx, one); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, one := range all {
		if ctx.Err() != nil {
			break
		}
		select {
		case queue <- one:
		case <-ctx.Done():
		}
	}
	close(queue)
	wg.Wait()
	return context.Cause(ctx)
}
