package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ledger is what clients were told about one image, and what its history was
// when it was last read.
type ledger struct {
	id string

	mu         sync.Mutex         // guards what follows up to history
	promises   map[string]bool    // label of every acknowledged put
	deleted    map[string]bool    // ids whose deletion was acknowledged
	revs       map[string]int64   // highest rev that was acknowledged or shown, by id
	results    map[int64][]result // of acks since the last check, by version
	refused    map[string]bool    // labels of puts that were refused for good
	chats      []string           // texts that were broadcast since the last check
	shown      map[int64]string   // batches that were broadcast since the last check, as JSON
	shownCount int
	version    int64 // highest that anybody was told

	// Used by the checking goroutine only.
	history []batch
	state   map[string]box
	puts    map[string]int // how often each label was put
	gone    map[string]bool
	before  []batch // the history before a rewind

	lost, double int // acknowledged puts that the last check did not find, or found twice
}

func newLedger(id string) *ledger {
	return &ledger{
		id: id, promises: map[string]bool{}, deleted: map[string]bool{}, revs: map[string]int64{}, shown: map[int64]string{},
		results: map[int64][]result{}, refused: map[string]bool{},
		state: map[string]box{}, puts: map[string]int{}, gone: map[string]bool{},
	}
}

// acked records that puts of these labels were acknowledged at a version.
func (l *ledger) acked(ver int64, labels []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, label := range labels {
		l.promises[label] = true
	}
	l.version = max(l.version, ver)
}

// answered records what an ack says that a batch did, and that it was this one.
func (l *ledger) answered(ver int64, results []result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results[ver] = results
}

// heard records that a chat message was broadcast.
func (l *ledger) heard(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chats = append(l.chats, text)
}

// rejected records that puts of these labels were refused for good.
func (l *ledger) rejected(labels []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, label := range labels {
		l.refused[label] = true
	}
}

func (l *ledger) ackedDelete(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deleted[id] = true
}

// sawRev records that an annotation was shown at a rev.
func (l *ledger) sawRev(id string, rev int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revs[id] = max(l.revs[id], rev)
}

// saw records a broadcast. It returns an error if another client was shown
// something else under the same version.
func (l *ledger) saw(f frame) error {
	b := encode(batch{f.Ver, f.By, f.Ops})
	l.mu.Lock()
	defer l.mu.Unlock()
	if other, ok := l.shown[f.Ver]; ok && other != b {
		return fmt.Errorf("version %d was shown as %s and as %s", f.Ver, other, b)
	}
	l.shown[f.Ver] = b
	l.shownCount++
	l.version = max(l.version, f.Ver)
	return nil
}

func encode(b batch) string {
	raw, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// check reads the history's new part and the list, and compares.
func (l *ledger) check(t *testing.T, a *api, when string) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s: image %s: %s", when, l.id, fmt.Sprintf(format, args...))
	}
	var list struct {
		Annotations []box
		Version     int64
	}
	if err := a.must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+l.id, nil).into(&list); err != nil {
		t.Fatal(err)
	}
	if list.Version < l.version {
		fail("version %d is back from %d, which somebody was told", list.Version, l.version)
	}
	l.read(t, a, list.Version)
	for ver, b := range l.shown {
		if ver > int64(len(l.history)) {
			fail("version %d was shown and is gone: %s", ver, b)
		} else if got := encode(l.history[ver-1]); got != b {
			fail("version %d was shown as %s and is now %s", ver, b, got)
		}
	}
	clear(l.shown)
	for ver, results := range l.results {
		if ver > int64(len(l.history)) {
			fail("version %d was acknowledged and is gone", ver)
		} else if ops := l.history[ver-1].Ops; !did(ops, results) {
			fail("version %d was acknowledged with %v and is now %v", ver, results, encode(l.history[ver-1]))
		}
	}
	clear(l.results)
	l.checkChats(t, a, when)
	for label := range l.refused {
		if l.puts[label] > 0 {
			fail("%s was refused and is there", label)
		}
	}
	l.lost, l.double = 0, 0
	for label := range l.promises {
		switch n := l.puts[label]; {
		case n == 0:
			l.lost++
		case n > 1:
			l.double++
		}
		if l.puts[label] != 1 {
			fail("%s was acknowledged and is there %d times", label, l.puts[label])
		}
	}
	for label, n := range l.puts {
		if n > 1 {
			fail("%s was put %d times", label, n)
		}
	}
	for id := range l.deleted {
		if !l.gone[id] {
			fail("the deletion of %s was acknowledged and is undone", id)
		}
	}
	for id, rev := range l.revs {
		if now, ok := l.state[id]; !ok && !l.gone[id] || ok && now.Rev < rev {
			fail("%s was shown at rev %d and is now at %d", id, rev, now.Rev)
		}
	}
	listed := map[string]box{}
	for _, b := range list.Annotations {
		listed[b.ID] = b
	}
	if d := cmp.Diff(l.state, listed); d != "" {
		fail("the list is not what the history makes:\n%s", d)
	}
}

// checkChats looks for the broadcast messages among the last hundred. A kill may
// leave some behind that nobody heard, so the oldest may have been pushed out.
func (l *ledger) checkChats(t *testing.T, a *api, when string) {
	t.Helper()
	if len(l.chats) == 0 {
		return
	}
	var list struct{ Messages []struct{ Text string } }
	if err := a.must(t, http.StatusOK, "GET", "/api/images/"+l.id+"/messages", nil).into(&list); err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, m := range list.Messages {
		there[m.Text] = true
	}
	for _, text := range l.chats[max(0, len(l.chats)-40):] {
		if !there[text] {
			t.Errorf("%s: image %s: message %s was broadcast and is gone", when, l.id, text)
		}
	}
	l.chats = nil
}

// did reports whether these are the ops that were acknowledged with results.
func did(ops []effect, results []result) bool {
	if len(ops) != len(results) {
		return false
	}
	for i, e := range ops {
		if e.ID != results[i].ID || e.Annotation != nil && e.Annotation.Rev != results[i].Rev {
			return false
		}
	}
	return true
}

// read takes in the op log after what is known, up to version until.
func (l *ledger) read(t *testing.T, a *api, until int64) {
	t.Helper()
	for int64(len(l.history)) < until {
		var page struct{ Ops []batch }
		path := "/api/images/" + l.id + "/ops?limit=1000&since=" + strconv.Itoa(len(l.history))
		if err := a.must(t, http.StatusOK, "GET", path, nil).into(&page); err != nil {
			t.Fatal(err)
		}
		if len(page.Ops) == 0 {
			t.Fatalf("image %s: the op log ends at %d, the list is at %d", l.id, len(l.history), until)
		}
		for _, b := range page.Ops {
			if b.Ver > until {
				return
			}
			if want := int64(len(l.history)) + 1; b.Ver != want {
				t.Fatalf("image %s: the op log has %d where %d should be", l.id, b.Ver, want)
			}
			l.history = append(l.history, b)
			l.apply(t, b)
		}
	}
	if n := min(len(l.before), len(l.history)); n > 0 {
		if d := cmp.Diff(l.before[:n], l.history[:n]); d != "" {
			t.Errorf("image %s: history was rewritten:\n%s", l.id, d)
		}
		if len(l.history) < len(l.before) {
			t.Errorf("image %s: history lost its end", l.id)
		}
	}
}

func (l *ledger) apply(t *testing.T, b batch) {
	t.Helper()
	for _, e := range b.Ops {
		switch e.K {
		case "del":
			if _, ok := l.state[e.ID]; !ok {
				t.Errorf("image %s: version %d deletes %s, which is not there", l.id, b.Ver, e.ID)
			}
			delete(l.state, e.ID)
			l.gone[e.ID] = true
		default:
			if old, ok := l.state[e.ID]; ok && e.Annotation.Rev != old.Rev+1 {
				t.Errorf("image %s: version %d takes %s from rev %d to %d", l.id, b.Ver, e.ID, old.Rev, e.Annotation.Rev)
			}
			if e.K == "put" {
				l.puts[e.Annotation.Label]++
			}
			l.state[e.ID] = *e.Annotation
		}
	}
}

// rewind forgets the history, so that the next check reads it all and compares it
// with what it was.
func (l *ledger) rewind(t *testing.T) {
	t.Helper()
	l.before, l.history = l.history, nil
	l.state, l.puts, l.gone = map[string]box{}, map[string]int{}, map[string]bool{}
}
