package journal_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/easelhq/easel/e2e/tally"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
	"github.com/easelhq/easel/pages"
)

func modelFlags() (rounds *int, seed *uint64) {
	return flag.Int("journal.rounds", 60, "rounds of the fencing model"),
		flag.Uint64("journal.seed", 1, "seed of its first round")
}

var modelRounds, modelSeed = modelFlags()

const fought = journal.Name("image/t/fought-over")

// ledger is the history of one actor as its owners see it: a list of numbers, of
// which each append adds one. It lives in pages, so that an append by someone
// who does not know the latest state overwrites what it does not know.
type ledger []uint64

const perPage = journaltest.PageSize / 8

func emptyLedger() journal.Template {
	b := make([]byte, 4*journaltest.PageSize)
	copy(b, "SQLite format 3\x00")
	binary.BigEndian.PutUint16(b[16:], journaltest.PageSize)
	return templateOf(b)
}

func templateOf(b []byte) journal.Template {
	sum := sha256.Sum256(b)
	return journal.Template{ID: hex.EncodeToString(sum[:]), Bytes: b}
}

// batch returns the pages that the newest entry changes.
func (l ledger) batch() pages.Set {
	first := make([]byte, journaltest.PageSize)
	copy(first, emptyLedger().Bytes)
	binary.BigEndian.PutUint64(first[200:], uint64(len(l)))
	from := (len(l) - 1) / perPage * perPage
	last := make([]byte, journaltest.PageSize)
	for i, id := range l[from:] {
		binary.BigEndian.PutUint64(last[8*i:], id)
	}
	no := uint32(2 + from/perPage)
	return pages.Set{
		PageSize: journaltest.PageSize, Size: max(4, no),
		Pages: []pages.Page{{No: 1, Data: first}, {No: no, Data: last}},
	}
}

func readLedger(b []byte) ledger {
	n := int(binary.BigEndian.Uint64(b[200:]))
	l := make(ledger, n)
	for i := range l {
		at := journaltest.PageSize + 8*i
		if at+8 <= len(b) {
			l[i] = binary.BigEndian.Uint64(b[at:])
		}
	}
	return l
}

// fight is one round: owners that all believe in themselves, and what they were
// told.
type fight struct {
	store *journaltest.Store
	fault journal.BucketFault
	dir   string
	seed  uint64

	mu      sync.Mutex // guards what follows
	nextID  uint64
	acked   []uint64
	claims  []ledger // what each claim restored
	newest  uint64   // highest number of a term whose claim has returned
	buckets []*journal.Bucket
	links   []*link
	zombies []*belief
	wrote   []*belief // all there ever were
	err     error
}

func (f *fight) failf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

// belief is an owner's view of its term.
type belief struct {
	term journal.Term
	list ledger
	from int  // entries of list that were restored
	dead bool // an append was refused
	mu   sync.Mutex
}

func (f *fight) bucket(l *link) *journal.Bucket {
	b, err := journal.OpenBucket(journal.BucketOptions{Store: l, Owner: "model"}.
		WithFault(f.fault).WithCompactSlots(3).WithDraws(l.seed))
	if err != nil {
		panic(err) // nothing is asked of the store
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.buckets = append(f.buckets, b)
	return b
}

func (f *fight) link(rng *rand.Rand) *link {
	l := &link{Store: f.store, seed: rng.Uint64(), left: -1, calls: map[string]int{}}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.links = append(f.links, l)
	return l
}

// own is the life of one owner: it claims, appends, pauses, lets go or dies.
func (f *fight) own(ctx context.Context, i int) {
	rng := rand.New(rand.NewPCG(f.seed, uint64(i)))
	l := f.link(rng)
	b := f.bucket(l)
	for range 5 {
		nap(ctx, time.Duration(rng.IntN(400))*time.Millisecond)
		if rng.IntN(5) == 0 {
			l.killAfter(1 + rng.IntN(40))
		}
		if rng.IntN(4) == 0 {
			l.pause(time.Duration(rng.IntN(1500)) * time.Millisecond)
		}
		f.reign(ctx, b, l, rng, filepath.Join(f.dir, fmt.Sprint(i)))
		if l.dead() || rng.IntN(2) == 0 { // another process, by the same name
			l = f.link(rng)
			b = f.bucket(l)
		}
	}
}

// reign is one term.
func (f *fight) reign(ctx context.Context, b *journal.Bucket, l *link, rng *rand.Rand, dir string) {
	f.mu.Lock()
	before := slices.Clone(f.acked)
	f.mu.Unlock()
	term, err := b.Birth(ctx, fought, emptyLedger())
	if err != nil {
		f.tolerate("claim", err)
		return
	}
	number := journal.TermNumber(term)
	f.mu.Lock()
	f.newest = max(f.newest, number)
	f.mu.Unlock()
	raw, err := journaltest.Restored(ctx, term, dir)
	if err != nil {
		f.tolerate("restore", err)
		return
	}
	me := &belief{term: term, list: readLedger(raw)}
	me.from = len(me.list)
	f.mu.Lock()
	f.wrote = append(f.wrote, me)
	f.mu.Unlock()
	f.claimed(before, me.list)
	for range rng.IntN(6) {
		f.burst(ctx, me, rng)
		switch rng.IntN(6) {
		case 0:
			l.pause(time.Duration(rng.IntN(3000)) * time.Millisecond)
		case 1:
			f.validate(ctx, term, number)
		}
	}
	if rng.IntN(3) == 0 {
		giveUp := term.Release
		if rng.IntN(2) == 0 {
			giveUp = term.HandOver
		}
		if err := giveUp(ctx); err != nil {
			f.tolerate("release", err)
		}
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.zombies = append(f.zombies, me)
}

// tolerate accepts what owners in a fight must expect.
func (f *fight) tolerate(what string, err error) {
	if errors.Is(err, journal.ErrUnavailable) || errors.Is(err, journal.ErrFenced) ||
		errors.Is(err, journal.ErrClosed) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return
	}
	f.failf("%s: %w", what, err)
}

// claimed compares what a claim restored with what was acknowledged before it
// began.
func (f *fight) claimed(before []uint64, list ledger) {
	for _, id := range before {
		if !slices.Contains(list, id) {
			f.failf("a claim restored %d entries without %d, one of %d acknowledged before", len(list), id, len(before))
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.claims = append(f.claims, slices.Clone(list))
}

// burst appends a few entries at once and mostly waits for the answers.
func (f *fight) burst(ctx context.Context, me *belief, rng *rand.Rand) {
	var answered sync.WaitGroup
	for range 1 + rng.IntN(6) {
		me.mu.Lock()
		dead := me.dead
		me.mu.Unlock()
		if dead {
			break
		}
		f.mu.Lock()
		f.nextID++
		id := f.nextID
		f.mu.Unlock()
		me.list = append(me.list, id)
		answered.Add(1)
		me.term.Append(me.list.batch(), func(err error) {
			defer answered.Done()
			if err != nil {
				me.mu.Lock()
				me.dead = true
				me.mu.Unlock()
				f.tolerate("append", err)
				return
			}
			f.mu.Lock()
			f.acked = append(f.acked, id)
			f.mu.Unlock()
		})
		if rng.IntN(2) == 0 {
			nap(ctx, time.Duration(rng.IntN(12))*time.Millisecond)
		}
	}
	if rng.IntN(5) > 0 {
		answered.Wait()
	}
}

func (f *fight) validate(ctx context.Context, term journal.Term, number uint64) {
	f.mu.Lock()
	newest := f.newest
	f.mu.Unlock()
	if err := term.Validate(ctx); err != nil {
		f.tolerate("validate", err)
	} else if newest > number {
		f.failf("term %d is valid after term %d was claimed", number, newest)
	}
}

// haunt lets owners that never learned of their end append on.
func (f *fight) haunt(ctx context.Context, i int) {
	rng := rand.New(rand.NewPCG(f.seed, 100+uint64(i)))
	for range 12 {
		nap(ctx, time.Duration(rng.IntN(800))*time.Millisecond)
		f.mu.Lock()
		var z *belief
		if n := len(f.zombies); n > 0 {
			k := rng.IntN(n)
			z = f.zombies[k]
			f.zombies = slices.Delete(f.zombies, k, k+1)
		}
		f.mu.Unlock()
		if z == nil {
			continue
		}
		f.burst(ctx, z, rng)
		f.mu.Lock()
		f.zombies = append(f.zombies, z)
		f.mu.Unlock()
	}
}

// settle ends the fight and compares what a last claim restores with what was
// acknowledged.
func (f *fight) settle(ctx context.Context) {
	calm := &link{Store: f.store, calm: true, left: -1}
	b := f.bucket(calm)
	if len(f.acked) == 0 {
		if _, err := b.Claim(ctx, fought); err != nil && !errors.Is(err, journal.ErrNotFound) {
			f.failf("last claim: %w", err)
		}
		return
	}
	term, err := b.Claim(ctx, fought)
	if err != nil {
		f.failf("last claim: %w", err)
		return
	}
	raw, err := journaltest.Restored(ctx, term, f.dir)
	if err != nil {
		f.failf("last restore: %w", err)
		return
	}
	f.compare(readLedger(raw))
	// Whoever still believes in itself learns better now.
	rng := rand.New(rand.NewPCG(f.seed, 200))
	count := len(f.acked)
	for _, z := range f.zombies {
		f.burst(ctx, z, rng)
	}
	nap(ctx, time.Minute)
	f.mu.Lock()
	now := len(f.acked)
	f.mu.Unlock()
	if now != count {
		f.failf("%d appends were acknowledged to owners that are none", now-count)
	}
	f.erase(ctx, b)
}

// erase takes the actor away from its owner, twice because of what lands late.
func (f *fight) erase(ctx context.Context, b *journal.Bucket) {
	owner := f.bucket(f.link(rand.New(rand.NewPCG(f.seed, 300))))
	me := &belief{}
	if term, err := owner.Claim(ctx, fought); err == nil {
		raw, err := journaltest.Restored(ctx, term, f.dir)
		if err != nil {
			f.tolerate("restore", err)
			return
		}
		me = &belief{term: term, list: readLedger(raw)}
		f.burst(ctx, me, rand.New(rand.NewPCG(f.seed, 301)))
	}
	if err := b.Erase(ctx, fought); err != nil {
		f.failf("erase: %w", err)
	}
	if me.term != nil {
		f.mu.Lock()
		count := len(f.acked)
		f.mu.Unlock()
		nap(ctx, time.Minute)
		f.mu.Lock()
		// What was on its way when the log was sealed may have been durable before.
		count = max(count, len(f.acked))
		f.mu.Unlock()
		f.burst(ctx, me, rand.New(rand.NewPCG(f.seed, 302)))
		nap(ctx, time.Minute)
		f.mu.Lock()
		if len(f.acked) != count {
			f.failf("%d appends to an erased actor were acknowledged", len(f.acked)-count)
		}
		f.mu.Unlock()
	}
	if err := b.Erase(ctx, fought); err != nil {
		f.failf("second erase: %w", err)
	}
	for _, key := range f.store.Keys() {
		kind, _, err := journal.DecodeSlot(f.store.Bytes(key))
		if strings.HasPrefix(key, "actors/") && !strings.HasSuffix(key, "/head") && (err != nil || kind != journal.SealKind) {
			f.failf("after its erasure there is %s", key)
		}
	}
	if _, err := b.Birth(ctx, fought, emptyLedger()); !errors.Is(err, journal.ErrErased) {
		f.failf("birth of the erased: %w", err)
	}
}

func (f *fight) compare(final ledger) {
	seen := map[uint64]int{}
	for i, id := range final {
		if id == 0 || id > f.nextID {
			f.failf("entry %d is %d, which nobody wrote", i, id)
		}
		if at, twice := seen[id]; twice {
			f.failf("entry %d is there twice, at %d and %d", id, at, i)
		}
		seen[id] = i
	}
	for _, id := range f.acked {
		if _, ok := seen[id]; !ok {
			f.failf("entry %d was acknowledged and is lost", id)
			return
		}
	}
	for _, c := range f.claims {
		if len(c) > len(final) || !slices.Equal(c, final[:len(c)]) {
			f.failf("a claim restored what is no beginning of the history")
		}
	}
	for _, w := range f.wrote {
		at := -1
		for _, id := range w.list[w.from:] {
			i, ok := seen[id]
			if ok && i < at {
				f.failf("entry %d is not in the order in which it was written", id)
			}
			at = max(at, i)
		}
	}
}

// round returns what is wrong after one fight.
func round(t *testing.T, seed uint64, fault journal.BucketFault) (acked int, err error) {
	dir := t.TempDir()
	for i := range 5 {
		if err := os.Mkdir(filepath.Join(dir, fmt.Sprint(i)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		f := &fight{store: journaltest.NewStore(), fault: fault, dir: dir, seed: seed}
		ctx := t.Context()
		var owners sync.WaitGroup
		for i := range 3 + int(seed%3) {
			owners.Go(func() { f.own(ctx, i) })
		}
		owners.Go(func() { f.haunt(ctx, 0) })
		owners.Go(func() { f.haunt(ctx, 1) })
		owners.Wait()
		nap(ctx, time.Minute) // for what lands late
		if f.err == nil {
			f.settle(ctx)
		}
		for _, b := range f.buckets {
			if err := b.Close(); err != nil {
				f.failf("close: %w", err)
			}
		}
		for _, l := range f.links {
			l.late.Wait()
		}
		acked, err = len(f.acked), f.err
	})
	return acked, err
}

func TestFencingModel(t *testing.T) {
	t.Parallel()
	rounds, sum := *modelRounds, 0
	if testing.Short() {
		rounds = min(rounds, 10)
	}
	report := tally.Report{Suite: "fencing model", Rounds: rounds}
	for began := time.Now(); report.Round < rounds && (*damageWithin == 0 || time.Since(began) < *damageWithin); {
		seed := *modelSeed + uint64(report.Round)
		acked, err := round(t, seed, journal.NoBucketFault)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		sum += acked
		report.Round, report.Acked = report.Round+1, sum
		if report.Round%20 == 0 || report.Round == rounds {
			if err := report.Write(); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d rounds, %d appends acknowledged, none lost", report.Round, sum)
	if sum == 0 {
		t.Error("nothing was ever acknowledged: this test saw nothing")
	}
}

func TestFencingModelNoticesPlantedFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault journal.BucketFault
	}{
		{"older terms are not sealed", journal.NoSeal},
		{"compaction deletes seals", journal.DeleteSeals},
		{"compaction deletes torn slots", journal.DeleteTorn},
		{"a refused repetition is taken for durable", journal.TrustConflict},
		{"answers do not wait for earlier ones", journal.AckOutOfOrder},
		{"the head is not looked at again", journal.NoRecheck},
		{"what a listing shows is deleted without a look at the head", journal.TidyBlind},
	}
	const most = 3000
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(most) {
				if _, err := round(t, 1000+seed, tt.fault); err != nil {
					t.Logf("noticed in round %d: %v", seed+1, err)
					return
				}
			}
			t.Errorf("not noticed in %d rounds", most)
		})
	}
}
