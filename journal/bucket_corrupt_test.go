package journal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// past is a store that holds a bit of everything, and how far each actor came.
type past struct {
	store *journaltest.Store
	last  map[journal.Name]int
	// open is the log of each actor's last term: nobody vouches for its end.
	open map[journal.Name]string
	dir  string // for what is restored
}

// term begins a term in another process, appends up to batch to and drops it.
func (p *past) term(t *testing.T, name journal.Name, to int, then func(journal.Term)) {
	t.Helper()
	b := openBucket(t, journal.BucketOptions{Store: p.store}.WithCompactSlots(1000))
	term, err := b.Birth(t.Context(), name, journaltest.Template())
	if err != nil {
		t.Fatal(err)
	}
	for p.last[name] < to {
		p.last[name]++
		if err := journaltest.Append(term, journaltest.Batch(name, p.last[name])); err != nil {
			t.Fatal(err)
		}
	}
	if then != nil {
		then(term)
	}
}

func newPast(t *testing.T) *past {
	t.Helper()
	p := &past{store: journaltest.NewStore(), last: map[journal.Name]int{}, open: map[journal.Name]string{}, dir: t.TempDir()}
	compact := func(term journal.Term) {
		if err := journal.CompactTerm(t.Context(), term); err != nil {
			t.Fatal(err)
		}
	}
	a, young := journal.Name("image/t/a"), journal.Name("image/t/young")
	p.term(t, a, 10, func(term journal.Term) {
		if err := term.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	p.term(t, a, 20, compact)
	p.term(t, a, 30, compact)
	p.term(t, a, 35, nil)
	p.tear(t, a)
	p.term(t, a, 40, nil)
	p.term(t, a, 45, nil)
	p.term(t, young, 5, nil)
	p.term(t, young, 9, nil)
	for name := range p.last {
		for _, key := range p.store.Keys() {
			if log, _, ok := strings.Cut(key, "/log/"); ok && strings.HasPrefix(key, "actors/"+strings.ReplaceAll(string(name), "/", ".")+"/") {
				p.open[name] = log + "/log/" + strings.Split(key[len(log)+5:], "/")[0]
			}
		}
	}
	return p
}

// tear leaves half a slot behind the last of an actor's newest log.
func (p *past) tear(t *testing.T, name journal.Name) {
	t.Helper()
	last := ""
	for _, key := range p.store.Keys() {
		if strings.Contains(key, "/log/") && strings.Contains(key, string(name[len("image/t/"):])+"/") {
			last = key
		}
	}
	var seq uint64
	if _, err := fmt.Sscanf(last[strings.LastIndexByte(last, '/')+1:], "%x", &seq); err != nil {
		t.Fatal(err)
	}
	key := fmt.Sprintf("%s/%016x", last[:strings.LastIndexByte(last, '/')], seq+1)
	if _, err := p.store.PutIfAbsent(t.Context(), key, p.store.Bytes(last)[:100]); err != nil {
		t.Fatal(err)
	}
}

func (p *past) with(change func(s *journaltest.Store)) *past {
	c := *p
	c.store = p.store.Clone()
	change(c.store)
	return &c
}

// check claims every actor and returns how many are found corrupt. None may be
// restored as anything but what it was, except with a shorter end if that is
// allowed.
func (p *past) check(t *testing.T, what string, shorter bool) int {
	t.Helper()
	b, err := journal.OpenBucket(journal.BucketOptions{Store: p.store})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	bad := 0
	for name, last := range p.last {
		term, err := b.Claim(t.Context(), name)
		var raw []byte
		if err == nil {
			raw, err = journaltest.Restored(t.Context(), term, p.dir)
		}
		if err != nil {
			bad++
			if !errors.Is(err, journal.ErrCorrupt) {
				t.Errorf("%s: %s: %v, want ErrCorrupt", what, name, err)
			}
			continue
		}
		if got, _ := journaltest.Find(name, raw, 0, last); got != last && !shorter {
			t.Errorf("%s: %s is restored as of batch %d, want %d", what, name, got, last)
		}
	}
	return bad
}

func kindOfKey(key string) string {
	for _, kind := range []string{"templates", "log", "l1", "snap"} {
		if strings.Contains(key, kind+"/") {
			return kind
		}
	}
	return "head"
}

func TestBucketNoticesEveryFlippedBit(t *testing.T) {
	p := newPast(t)
	if bad := p.check(t, "untouched", false); bad != 0 {
		t.Fatalf("%d actors are corrupt before anything was touched", bad)
	}
	p = newPast(t)
	rng := rand.New(rand.NewPCG(5, 6))
	noticed := map[string]int{}
	keys := p.store.Keys()
	per := 12
	if testing.Short() {
		per = 4
	}
	d := newDamager(t, "bit flips, bucket", len(keys), per)
	for object, part := range d.all() {
		key := keys[object]
		bit := part.bit(rng, int64(len(p.store.Bytes(key)))*8)
		broken := p.with(func(s *journaltest.Store) { s.Bytes(key)[bit/8] ^= 1 << (bit % 8) })
		bad := broken.check(t, fmt.Sprintf("%s bit %d", key, bit), false)
		d.did(t, kindOfKey(key), bad > 0)
		if bad > 0 {
			noticed[kindOfKey(key)]++
		}
		if bad > 1 {
			t.Errorf("%s bit %d: damage of one actor closes %d", key, bit, bad)
		}
	}
	for _, kind := range []string{"head", "log", "l1", "snap", "templates"} {
		if noticed[kind] == 0 && d.many(kind) {
			t.Errorf("no damage of %s was noticed: %s", kind, d)
		}
	}
	t.Log(d)
}

func TestBucketNoticesMissingObjects(t *testing.T) {
	p := newPast(t)
	for _, key := range p.store.Keys() {
		if kindOfKey(key) == "head" {
			continue // nothing vouches for a head
		}
		last := false
		for _, open := range p.open {
			last = last || strings.HasPrefix(key, open)
		}
		for _, short := range []bool{false, true} {
			broken := p.with(func(s *journaltest.Store) {
				body := s.Bytes(key)
				if err := s.Delete(t.Context(), key); err != nil {
					t.Fatal(err)
				}
				if short {
					if _, err := s.PutIfAbsent(t.Context(), key, body[:len(body)-1]); err != nil {
						t.Fatal(err)
					}
				}
			})
			broken.check(t, fmt.Sprintf("%s missing (short: %v)", key, short), last)
		}
	}
}
