package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// worker does its work until stop is closed or the node stops answering. It
// first repeats what it had not been answered when it last stopped.
type worker func(ctx context.Context, a *api, stop <-chan struct{}, r *rand.Rand)

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

func draft(label string, r *rand.Rand) map[string]any {
	return map[string]any{"label": label, "x": r.Float64() / 2, "y": r.Float64() / 2, "width": 0.1, "height": 0.2}
}

// sent is one op frame on its way, or answered.
type sent struct {
	frame  map[string]any
	seq    int64
	labels []string // of its puts
	answer string   // the ack or permanent rej as JSON, once it came
}

// writer draws over a socket, several frames at a time, and resumes by seq.
type writer struct {
	ledger  *ledger
	client  string
	seq     int64
	pending []*sent // unanswered, in order
	last    *sent   // the newest that was answered
	mine    []string
	broken  error // an answer that must not be
}

// maxUnanswered is below the 32 frames that the protocol allows.
const maxUnanswered = 8

func (w *writer) work(ctx context.Context, a *api, stop <-chan struct{}, r *rand.Rand) {
	for w.broken == nil && (len(w.pending) > 0 || !stopped(stop)) {
		s, err := a.dial(ctx, w.ledger.id, w.client, nil)
		if err != nil {
			return
		}
		w.session(s, stop, r)
		s.Close()
	}
}

// session works on one socket until it breaks or nothing is left to do.
func (w *writer) session(s socket, stop <-chan struct{}, r *rand.Rand) {
	welcome, err := s.next()
	if err != nil || welcome.T != "welcome" {
		return
	}
	if w.last != nil && welcome.LastSeq < w.last.seq {
		w.broken = fmt.Errorf("last_seq %d is behind the answered seq %d", welcome.LastSeq, w.last.seq)
		return
	}
	// Everything unanswered goes out again, and the last answered frame too: its
	// answer must be the same and it must have no second effect.
	if w.last != nil {
		if s.send(w.last.frame) != nil {
			return
		}
	}
	for _, p := range w.pending {
		if s.send(p.frame) != nil {
			return
		}
	}
	repeat := w.last
	for {
		for len(w.pending) < maxUnanswered && !stopped(stop) {
			p := w.compose(r)
			w.pending = append(w.pending, p)
			if s.send(p.frame) != nil {
				return
			}
		}
		if len(w.pending) == 0 && repeat == nil {
			return
		}
		f, err := s.next()
		if err != nil {
			return
		}
		switch f.T {
		case "ops":
			if w.broken = w.ledger.saw(f); w.broken != nil {
				return
			}
		case "ack", "rej":
			if repeat != nil && f.Seq == repeat.seq {
				if got := verdict(f); got != repeat.answer {
					w.broken = fmt.Errorf("client %s seq %d: was answered %s, now %s", w.client, f.Seq, repeat.answer, got)
					return
				}
				repeat = nil
				continue
			}
			if f.T == "rej" && f.Code == "internal" {
				w.broken = fmt.Errorf("client %s seq %d: %+v", w.client, f.Seq, f)
				return
			}
			if f.T == "rej" && f.Temporary {
				return // in order, the rest would be bad_seq: come back and send again
			}
			w.answered(f)
		}
	}
}

// compose makes the next op frame: mostly puts, some patches and deletes of what
// this writer drew, and now and then one that must be rejected for good.
func (w *writer) compose(r *rand.Rand) *sent {
	w.seq++
	p := &sent{seq: w.seq}
	var ops []map[string]any
	switch n := r.IntN(10); {
	case n == 0: // a put that goes down with its batch
		label := fmt.Sprintf("%s-%d-refused", w.client, w.seq)
		p.labels = append(p.labels, label)
		ops = append(ops, map[string]any{"k": "put", "annotation": draft(label, r)},
			map[string]any{"k": "del", "id": "00000000000070008000000000000000"})
	case n == 1 && len(w.mine) > 4:
		id := w.mine[0]
		w.mine = w.mine[1:]
		ops = append(ops, map[string]any{"k": "del", "id": id})
	case n <= 3 && len(w.mine) > 0:
		id := w.mine[r.IntN(len(w.mine))]
		ops = append(ops, map[string]any{"k": "patch", "id": id, "set": map[string]any{"x": r.Float64() / 2}})
	default:
		for i := range 1 + r.IntN(3) {
			label := fmt.Sprintf("%s-%d-%d", w.client, w.seq, i)
			p.labels = append(p.labels, label)
			ops = append(ops, map[string]any{"k": "put", "annotation": draft(label, r)})
		}
	}
	p.frame = map[string]any{"t": "op", "seq": p.seq, "ops": ops}
	return p
}

// answered takes in the answer to the oldest unanswered frame.
func (w *writer) answered(f frame) {
	if len(w.pending) == 0 || w.pending[0].seq != f.Seq {
		w.broken = fmt.Errorf("client %s: an answer to seq %d, which is not the next", w.client, f.Seq)
		return
	}
	p := w.pending[0]
	w.pending = w.pending[1:]
	p.answer = verdict(f)
	w.last = p
	if f.T == "rej" {
		w.ledger.rejected(p.labels)
		return
	}
	w.ledger.acked(f.Ver, p.labels)
	w.ledger.answered(f.Ver, f.Results)
	for i, op := range p.frame["ops"].([]map[string]any) {
		switch op["k"] {
		case "put":
			w.mine = append(w.mine, f.Results[i].ID)
			w.ledger.sawRev(f.Results[i].ID, f.Results[i].Rev)
		case "patch":
			w.ledger.sawRev(f.Results[i].ID, f.Results[i].Rev)
		case "del":
			w.ledger.ackedDelete(f.Results[i].ID)
		}
	}
}

// verdict is what must be the same each time that a frame is answered.
func verdict(f frame) string {
	b, err := json.Marshal(map[string]any{"t": f.T, "seq": f.Seq, "ver": f.Ver, "results": f.Results, "code": f.Code})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// poster draws over REST, one request at a time, each with a key to repeat it by.
type poster struct {
	ledger *ledger
	name   string
	count  int
	open   *post // sent and not answered
	broken error
}

type post struct {
	key, label, id string
	body           map[string]any
	delete         bool
}

func (p *poster) work(ctx context.Context, a *api, stop <-chan struct{}, r *rand.Rand) {
	for p.open != nil || !stopped(stop) {
		if p.open == nil {
			p.count++
			key := fmt.Sprintf("%s-%d", p.name, p.count)
			p.open = &post{key: key, label: key, body: draft(key, r)}
			p.open.body["image_id"] = p.ledger.id
		}
		if !p.finish(ctx, a) {
			return
		}
		p.look(ctx, a)
	}
}

// finish gets the open request answered; false means that the node is away.
func (p *poster) finish(ctx context.Context, a *api) bool {
	for {
		var got answer
		var err error
		if p.open.delete {
			got, err = a.do(ctx, "DELETE", "/api/images/"+p.ledger.id+"/annotations/"+p.open.id, nil, "Idempotency-Key", p.open.key+"-del")
		} else {
			got, err = a.do(ctx, "POST", "/api/annotations", p.open.body, "Idempotency-Key", p.open.key)
		}
		switch {
		case err != nil:
			return false
		case !decided(got.status) || got.status == http.StatusConflict:
			select {
			case <-ctx.Done():
				return false
			case <-time.After(20 * time.Millisecond):
			}
			continue
		case p.open.delete && got.status == http.StatusNoContent:
			p.ledger.ackedDelete(p.open.id)
		case !p.open.delete && got.status == http.StatusCreated:
			var out struct{ Annotation box }
			if p.broken = got.into(&out); p.broken != nil {
				return false
			}
			p.ledger.acked(0, []string{p.open.label})
			p.ledger.sawRev(out.Annotation.ID, out.Annotation.Rev)
			if p.count%5 == 0 { // every fifth is deleted again
				p.open = &post{key: p.open.key, id: out.Annotation.ID, delete: true}
				continue
			}
		default:
			p.broken = fmt.Errorf("%s: %s", p.open.key, got)
			return false
		}
		p.open = nil
		return true
	}
}

// look reads the list, which is a promise too: nobody may be shown what can be
// lost.
func (p *poster) look(ctx context.Context, a *api) {
	got, err := a.do(ctx, "GET", "/api/annotations/by-image/"+p.ledger.id, nil)
	if err != nil || got.status != http.StatusOK {
		return
	}
	var list struct {
		Annotations []box
		Version     int64
	}
	if p.broken = got.into(&list); p.broken != nil {
		return
	}
	p.ledger.acked(list.Version, nil)
	for _, b := range list.Annotations {
		p.ledger.sawRev(b.ID, b.Rev)
	}
}

// bulker draws on all images at once, all or nothing.
type bulker struct {
	images []*ledger
	count  int
	open   map[string]any
	began  []string        // labels of every bulk that was ever sent
	done   map[string]bool // labels of the answered ones
	broken error
}

func (b *bulker) work(ctx context.Context, a *api, stop <-chan struct{}, r *rand.Rand) {
	if b.done == nil {
		b.done = map[string]bool{}
	}
	for b.open != nil || !stopped(stop) {
		if b.open == nil {
			b.count++
			label := "bulk-" + strconv.Itoa(b.count)
			b.began = append(b.began, label)
			var items []map[string]any
			for i, l := range b.images {
				d := draft(fmt.Sprintf("%s-%d", label, i), r)
				d["image_id"] = l.id
				items = append(items, d)
			}
			b.open = map[string]any{"annotations": items}
		}
		label := b.began[len(b.began)-1]
		got, err := a.do(ctx, "POST", "/api/annotations/bulk", b.open, "Idempotency-Key", label)
		switch {
		case err != nil:
			return
		case !decided(got.status) || got.status == http.StatusConflict:
			select {
			case <-ctx.Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		case got.status == http.StatusCreated:
			b.done[label], b.open = true, nil
		default:
			b.broken = fmt.Errorf("%s: %s", label, got)
			return
		}
	}
}

// check waits until every bulk is on all images or on none: who took part in one
// that was undecided when the node died asks for its outcome.
func (b *bulker) check(t *testing.T, a *api, when string) {
	t.Helper()
	if b.broken != nil {
		t.Errorf("%s: bulk: %v", when, b.broken)
	}
	eventually(t, when+": every bulk is decided everywhere", func() error {
		for _, l := range b.images {
			l.check(t, a, when)
		}
		for _, label := range b.began {
			var there int
			for i, l := range b.images {
				there += l.puts[fmt.Sprintf("%s-%d", label, i)]
			}
			if there != len(b.images) && (there != 0 || b.done[label]) {
				return fmt.Errorf("%s (answered: %v) is on %d of %d images", label, b.done[label], there, len(b.images))
			}
		}
		return nil
	})
}

// filer writes one value and one file over and over, uploads images and chats.
type filer struct {
	room        string            // image whose chat it is in
	tried, told int               // the value that was last sent, and last acknowledged
	filed       int               // the file that was last acknowledged
	seen        [2]atomic.Int64   // the highest value and file that were read
	said        []string          // acknowledged messages, the newest last
	uploads     map[string]string // sum by id, not yet compared
	compared    map[string]string
	broken      error
}

func (f *filer) work(ctx context.Context, a *api, stop <-chan struct{}, r *rand.Rand) {
	if f.uploads == nil {
		f.uploads, f.compared = map[string]string{}, map[string]string{}
	}
	for !stopped(stop) {
		f.tried++
		got, err := a.do(ctx, "PUT", filerPaths[0], bytes.NewReader([]byte(strconv.Itoa(f.tried))))
		if err != nil {
			return
		}
		if got.status/100 == 2 {
			f.told = f.tried
		}
		got, err = a.do(ctx, "PUT", filerPaths[1], bytes.NewReader([]byte(strconv.Itoa(f.tried))), "Content-Type", "text/plain")
		if err != nil {
			return
		}
		if got.status/100 == 2 {
			f.filed = f.tried
		}
		text := "said-" + strconv.Itoa(f.tried)
		got, err = a.do(ctx, "POST", "/api/images/"+f.room+"/messages", map[string]any{"text": text})
		if err != nil {
			return
		}
		if got.status == http.StatusCreated {
			f.said = append(f.said, text)
		}
		body, contentType := form("u.png", picture(20+r.IntN(30), 20, byte(r.IntN(256))))
		got, err = a.do(ctx, "POST", "/api/images/upload", body, "Content-Type", contentType)
		if err != nil {
			return
		}
		if got.status == http.StatusCreated {
			var out struct{ Image imageRow }
			if f.broken = got.into(&out); f.broken != nil {
				return
			}
			f.uploads[out.Image.ID] = out.Image.SHA256
		}
	}
}

// look reads what work writes: what anybody was shown must stay, too.
func (f *filer) look(ctx context.Context, a *api, stop <-chan struct{}, _ *rand.Rand) {
	for !stopped(stop) {
		for i, path := range filerPaths {
			got, err := a.do(ctx, "GET", path, nil)
			if err != nil {
				return
			}
			if n, err := strconv.ParseInt(string(got.body), 10, 64); got.status == http.StatusOK && err == nil {
				f.seen[i].Store(max(f.seen[i].Load(), n))
			}
		}
	}
}

// filerPaths are the value and the file that a filer writes.
var filerPaths = [2]string{"/api/kv/crash/counter", "/api/files/crash/file.txt"}

func (f *filer) check(t *testing.T, a *api, when string) {
	t.Helper()
	if f.broken != nil {
		t.Errorf("%s: upload: %v", when, f.broken)
	}
	for i, told := range []int{f.told, f.filed} {
		path := filerPaths[i]
		if told = max(told, int(f.seen[i].Load())); told == 0 {
			continue
		}
		got := a.must(t, http.StatusOK, "GET", path, nil)
		if n, err := strconv.Atoi(string(got.body)); err != nil || n < told || n > f.tried {
			t.Errorf("%s: %s is %q; %d was acknowledged or shown and %d sent", when, path, got.body, told, f.tried)
		}
	}
	f.checkChat(t, a, when)
	for id, sum := range f.uploads {
		got := a.must(t, http.StatusOK, "GET", "/api/images/"+id+"/file", nil)
		if have := sha256Hex(got.body); have != sum {
			t.Errorf("%s: image %s has the sum %s, was acknowledged with %s", when, id, have, sum)
		}
		f.compared[id] = sum
	}
	clear(f.uploads)
}

// checkChat looks for the acknowledged messages among the last hundred.
func (f *filer) checkChat(t *testing.T, a *api, when string) {
	t.Helper()
	var list struct {
		Messages []struct{ Text string }
	}
	if err := a.must(t, http.StatusOK, "GET", "/api/images/"+f.room+"/messages", nil).into(&list); err != nil {
		t.Fatal(err)
	}
	there := map[string]int{}
	for _, m := range list.Messages {
		there[m.Text]++
	}
	// A kill may leave one message behind that nobody was told of, so the oldest
	// few of a hundred may have been pushed out.
	for _, text := range f.said[max(0, len(f.said)-40):] {
		if there[text] != 1 {
			t.Errorf("%s: message %s was acknowledged and is there %d times", when, text, there[text])
		}
	}
}

// rewind makes the next check compare every upload again.
func (f *filer) rewind() { f.uploads, f.compared = f.compared, f.uploads }

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// watcher only looks: at a snapshot, then at every broadcast.
type watcher struct {
	ledger *ledger
	broken error
}

func (o *watcher) work(ctx context.Context, a *api, stop <-chan struct{}, r *rand.Rand) {
	if stopped(stop) {
		return
	}
	s, err := a.dial(ctx, o.ledger.id, "watch-"+strconv.FormatUint(r.Uint64(), 36), nil)
	if err != nil {
		return
	}
	defer s.Close()
	looked := make(chan struct{})
	defer close(looked)
	go func() { // nobody else ends a socket of a node that lives
		select {
		case <-stop:
			s.Close()
		case <-looked:
		}
	}()
	var ver int64
	for {
		f, err := s.next()
		if err != nil {
			return
		}
		switch f.T {
		case "snap":
			ver = f.Ver
			o.ledger.acked(f.Ver, nil)
			for _, b := range f.Annotations {
				o.ledger.sawRev(b.ID, b.Rev)
			}
		case "chat":
			o.ledger.heard(f.Text)
		case "ops":
			if ver != 0 && f.Ver != ver+1 {
				o.broken = fmt.Errorf("version %d follows %d", f.Ver, ver)
				return
			}
			ver = f.Ver
			if o.broken = o.ledger.saw(f); o.broken != nil {
				return
			}
		}
	}
}
