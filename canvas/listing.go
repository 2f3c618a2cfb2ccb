package canvas

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/easelhq/easel/opcodec"
)

// mostListing is the largest encoded listing that is kept, in bytes. Larger ones
// are made for each request.
const mostListing = 2 << 20

// listing is the encoded list of all annotations at one version. It serves
// filtered lists too: those are pieces of it.
type listing struct {
	body       []byte // nil: none
	entries    []entry
	ver        int64
	commit     int64 // the commit that made ver
	superseded int64 // the commit that made the version after; 0: ver is the newest
}

// entry is one annotation in a listing: what filters look at, and where it is.
type entry struct {
	label      string
	confidence float64 // -1: none
	from, to   int
	ver, pos   int64 // of creation
}

func (e *entry) matches(m *List) bool {
	return (m.Label == nil || e.label == *m.Label) && (m.MinConfidence == nil || e.confidence >= *m.MinConfidence)
}

// supersede notes that a newer version is made by this commit.
func (l *listing) supersede(commit int64) {
	if l.superseded == 0 {
		l.superseded = commit
	}
}

// list answers from the cached listing as long as that is what is durable: no
// acknowledged write can be missing from it then. Only a list of a newer version
// waits for its commit.
func (s *State) list(t Turn, m List) (Listing, error) {
	if m.MinConfidence != nil && *m.MinConfidence < 0 {
		m.MinConfidence = new(float64) // -1 stands for none
	}
	l := &s.listing
	if l.body == nil || l.superseded != 0 && l.superseded <= t.Durable() {
		fresh, err := s.encode(t)
		if err != nil {
			return Listing{}, err
		}
		l = &fresh
		if len(fresh.body) <= mostListing {
			s.listing = fresh
			l = &s.listing
		} else {
			s.listing = listing{}
		}
	}
	if max(l.commit, s.restored) <= t.Durable() {
		t.Ungated()
	}
	out := Listing{Body: l.body, Epoch: s.image.epoch, Ver: l.ver}
	if m.Label != nil || m.MinConfidence != nil {
		out.Body = l.filter(&m)
	}
	return out, nil
}

// encode makes the listing of the newest version.
func (s *State) encode(t Turn) (listing, error) {
	l := listing{ver: s.head.ver, commit: s.head.commit}
	err := l.encode(int(s.head.live), func(f func(*box)) error { return eachBox(t.Tx(), s.image.ID, f) })
	return l, err
}

// encode fills the listing with about n annotations. It takes them in the order
// of the file and sorts what it has encoded: SQLite's sorter would pack and unpack
// every row once more.
func (l *listing) encode(n int, each func(f func(*box)) error) error {
	l.entries = make([]entry, 0, n)
	raw := make([]byte, 0, 360*n)
	err := each(func(b *box) {
		e := entry{label: b.Label, confidence: -1, from: len(raw), ver: b.ver, pos: b.pos}
		if b.Confidence != nil {
			e.confidence = *b.Confidence
		}
		raw = opcodec.AppendAnnotation(raw, &b.Annotation)
		e.to = len(raw)
		l.entries = append(l.entries, e)
	})
	if err != nil {
		return err
	}
	slices.SortFunc(l.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.ver, a.ver), cmp.Compare(b.pos, a.pos))
	})
	l.body = append(make([]byte, 0, 64+len(raw)+len(l.entries)), `{"annotations":[`...)
	for i := range l.entries {
		if i > 0 {
			l.body = append(l.body, ',')
		}
		e := &l.entries[i]
		from := len(l.body)
		l.body = append(l.body, raw[e.from:e.to]...)
		e.from, e.to = from, len(l.body)
	}
	l.body = l.finish(l.body)
	return nil
}

func (l *listing) finish(b []byte) []byte {
	b = append(b, `],"version":`...)
	return append(strconv.AppendInt(b, l.ver, 10), '}')
}

func (l *listing) filter(m *List) []byte {
	b := append(make([]byte, 0, 1024), `{"annotations":[`...)
	first := true
	for i := range l.entries {
		e := &l.entries[i]
		if !e.matches(m) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, l.body[e.from:e.to]...)
	}
	return l.finish(b)
}
