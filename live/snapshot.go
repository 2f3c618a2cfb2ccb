package live

import (
	"strconv"
	"sync"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// snapshot is an image at one version. Its chunks are encoded when the first
// reader takes them, and shared by all that read the same snapshot.
type snapshot struct {
	ver int64

	mu     sync.Mutex
	rest   []*easel.Annotation // not yet encoded; the values are immutable
	chunks []Item
	done   bool
}

func newSnapshot(ver int64, annotations []*easel.Annotation) *snapshot {
	return &snapshot{ver: ver, rest: annotations}
}

// chunk returns chunk i, which is at most size bytes unless one annotation is
// larger. ok is false behind the last one.
func (s *snapshot) chunk(i, size int) (it Item, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i >= len(s.chunks) && !s.done {
		s.encodeLocked(size)
	}
	if i >= len(s.chunks) {
		return Item{}, false
	}
	return s.chunks[i], true
}

// encodeLocked makes the next chunk. The fields that say whether it is the last
// come after the annotations, because only then it is known.
func (s *snapshot) encodeLocked(size int) {
	const tail = len(`],"last":false}`)
	buf := make([]byte, maxHeader, maxHeader+min(size, 512+320*len(s.rest)))
	buf = append(buf, `{"t":"snap","i":`...)
	buf = strconv.AppendInt(buf, int64(len(s.chunks)), 10)
	buf = append(buf, `,"ver":`...)
	buf = strconv.AppendInt(buf, s.ver, 10)
	buf = append(buf, `,"annotations":[`...)
	n := 0
	for ; n < len(s.rest); n++ {
		before := len(buf)
		if n > 0 {
			buf = append(buf, ',')
		}
		if buf = opcodec.AppendAnnotation(buf, s.rest[n]); n > 0 && len(buf)+tail > size {
			buf = buf[:before]
			break
		}
	}
	s.rest = s.rest[n:]
	s.done = len(s.rest) == 0
	buf = append(buf, `],"last":`...)
	buf = strconv.AppendBool(buf, s.done)
	kind := KindSnap
	if s.done {
		kind = KindSnapEnd
		s.rest = nil
	}
	s.chunks = append(s.chunks, Item{Frame: frameText(append(buf, '}')), Kind: kind, Ver: s.ver})
}

// replica is a copy of an image at a known version. The annotations themselves
// are immutable; a change replaces the pointer.
type replica struct {
	at        map[easel.ID]int // index in list
	list      []*easel.Annotation
	places    [][2]int64 // of list: version of creation, and position in its batch
	unordered bool       // a node of an older version has not told the places
	holes     int        // nil places in list
	snap      *snapshot
	still     *still
}

func newReplica() *replica { return &replica{at: map[easel.ID]int{}} }

// put stores a, unless the replica already has it at that rev or a newer one.
func (r *replica) put(a *easel.Annotation, place [2]int64) {
	i, ok := r.at[a.ID]
	if !ok {
		r.at[a.ID] = len(r.list)
		r.list = append(r.list, a)
		r.places = append(r.places, place)
		return
	}
	if r.places[i][0] == place[0] {
		// Pages count the ops of a batch and batches their effects, which are fewer if
		// some did nothing: all that one batch created must be counted alike.
		r.places[i] = place
	}
	if a.Rev > r.list[i].Rev {
		r.list[i] = a
	}
}

func (r *replica) remove(id easel.ID) {
	i, ok := r.at[id]
	if !ok {
		return
	}
	delete(r.at, id)
	r.list[i] = nil
	r.holes++
	if r.holes > 64 && r.holes > len(r.list)/2 {
		r.compact()
	}
}

func (r *replica) compact() {
	kept := make([]*easel.Annotation, 0, len(r.at))
	places := make([][2]int64, 0, len(r.at))
	for i, a := range r.list {
		if a != nil {
			r.at[a.ID] = len(kept)
			kept, places = append(kept, a), append(places, r.places[i])
		}
	}
	r.list, r.places, r.holes = kept, places, 0
}

// apply brings the replica one batch further.
func (r *replica) apply(b easel.Batch) {
	for i := range b.Ops {
		switch e := &b.Ops[i]; {
		case e.Kind == easel.OpDelete:
			r.remove(e.ID)
		case e.Annotation != nil:
			place := [2]int64{b.Ver, int64(i)}
			if at, ok := r.at[e.ID]; ok && e.Kind != easel.OpPut {
				place = r.places[at] // what changes in the batch that made it stays where it is
			}
			r.put(e.Annotation, place)
		}
	}
}

// snapshot returns the replica as it is now, at ver.
func (r *replica) snapshot(ver int64) *snapshot {
	if r.snap == nil || r.snap.ver != ver {
		live := make([]*easel.Annotation, 0, len(r.at))
		for _, a := range r.list {
			if a != nil {
				live = append(live, a)
			}
		}
		r.snap = newSnapshot(ver, live)
	}
	return r.snap
}
