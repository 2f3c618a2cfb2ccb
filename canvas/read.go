package canvas

import (
	"github.com/easelhq/easel"
)

// Bounds of one answer, so that it fits a message between nodes.
const (
	logBytes  = 192 << 10
	pageBytes = 192 << 10
)

func (s *State) one(t Turn, m One) (OneReply, error) {
	if !m.ID.Valid() {
		return OneReply{}, errNoAnnotation
	}
	b, err := loadBox(t.Tx(), s.image.ID, m.ID)
	switch {
	case err != nil:
		return OneReply{}, err
	case b == nil:
		return OneReply{}, errNoAnnotation
	case b.dead:
		return OneReply{}, easel.Errorf(easel.CodeGone, "annotation %s is deleted", m.ID)
	}
	return OneReply{Annotation: b.Annotation, Epoch: s.image.epoch, Ver: s.head.ver}, nil
}

var errNoAnnotation = &easel.Error{Code: easel.CodeNotFound, Message: "no such annotation"}

func (s *State) log(t Turn, m Log) (LogReply, error) {
	out := LogReply{Epoch: s.image.epoch, Ver: s.head.ver}
	if m.Archived {
		var err error
		if out.Chunk, err = s.older(t, m.Since); err != nil || out.Chunk != nil {
			return out, err
		}
	}
	batches, err := loadLog(t.Tx(), m.Since, m.Limit, logBytes)
	if err != nil {
		return LogReply{}, err
	}
	out.Batches = batches
	if n := len(batches); n > 0 && batches[n-1].Ver < s.head.ver {
		out.Next = batches[n-1].Ver
	}
	return out, nil
}

func (s *State) page(t Turn, m Page) (PageReply, error) {
	out := PageReply{Epoch: s.image.epoch, Ver: s.head.ver}
	size := 0
	more, err := eachByID(t.Tx(), s.image.ID, m.After, func(b *box) bool {
		if n := len(out.Annotations); n > 0 && (n == m.Limit || size >= pageBytes) {
			return false
		}
		size += jsonSize(&b.Annotation)
		out.Annotations = append(out.Annotations, b.Annotation)
		out.Places = append(out.Places, [2]int64{b.ver, b.pos})
		return true
	})
	out.More = more
	return out, err
}

// jsonSize estimates the length of an annotation as JSON, from above unless
// strings are full of escapes.
func jsonSize(a *easel.Annotation) int {
	n := 350 + len(a.Label) + len(a.CreatedBy) + len(a.UpdatedBy)
	if a.Shape != "" || a.Attributes != "" || a.Source != "" || a.Model != "" {
		n += 50 + len(a.Shape) + len(a.Attributes) + len(a.Source) + len(a.Model)
	}
	return n
}
