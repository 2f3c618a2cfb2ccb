package canvas

import (
	"strconv"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
)

// mostJudged is how many predictions one Judge may decide about, so that nobody
// else waits long for their turn.
const mostJudged = 5000

// Judge accepts or rejects predictions, reviewers and up may. What is accepted
// becomes a person's annotation that remembers its model; what is rejected is
// deleted. Either IDs are named or a MinConfidence. What is no prediction any more
// is left out, so that a repeat does no harm; an id that never was is
// CodeNotFound. Answer: Judged.
type Judge struct {
	By            Author
	Accept        bool
	IDs           []easel.ID // at most easel.MaxOps
	MinConfidence *float64   // all that have at least this
}

// MessageName implements actors.Message.
func (Judge) MessageName() string { return "canvas.judge" }

// Judged tells how many predictions were decided about, in one or more versions,
// of which Ver is the newest.
type Judged struct {
	Count int
	More  bool // there are others above the threshold: ask again
	Epoch string
	Ver   int64
}

// MessageName implements actors.Message.
func (Judged) MessageName() string { return "canvas.judged" }

func (s *State) judge(t Turn, m Judge) (actors.Message, error) {
	if err := may(m.By, easel.Reviewer, "judge predictions"); err != nil {
		return nil, err
	}
	ids, more, err := s.predictions(t, m)
	if err != nil {
		return nil, err
	}
	// Part of it may be accepted before the rest is looked at, so nothing may be
	// refused then.
	for _, id := range m.IDs {
		if b, err := loadBox(t.Tx(), s.image.ID, id); err != nil {
			return nil, err
		} else if b == nil {
			return nil, opError(easel.CodeNotFound, "ids", "no annotation "+string(id))
		}
	}
	out := Judged{More: more, Epoch: s.image.epoch}
	p := s.newPlan(t, m.By, min(len(ids), easel.MaxOps))
	for _, id := range ids {
		b, err := p.find(id)
		switch {
		case err != nil:
			return nil, err
		case b == nil || b.dead || b.Source != easel.SourceModel:
			continue
		}
		out.Count++
		if m.Accept {
			b.Source = ""
			b.UpdatedBy, b.UpdatedAt = m.By.User, p.at
			b.Rev++
			p.changed(easel.OpPatch, b)
		} else {
			p.remove(b)
		}
		// Half of what a batch may have is left for the one that makes it too long.
		if len(p.effects) == easel.MaxOps || p.size > mostBatch/2 {
			if _, err := s.accept(t, p, origin{}, false); err != nil {
				return nil, err
			}
			p = s.newPlan(t, m.By, easel.MaxOps)
		}
	}
	if _, err := s.accept(t, p, origin{}, false); err != nil {
		return nil, err
	}
	out.Ver = s.head.ver
	return out, nil
}

// predictions returns the ids that m is about, each once.
func (s *State) predictions(t Turn, m Judge) (ids []easel.ID, more bool, err error) {
	switch n := len(m.IDs); {
	case (n > 0) == (m.MinConfidence != nil):
		return nil, false, easel.Invalid("ids", "or min_confidence is required, and not both")
	case n > easel.MaxOps:
		return nil, false, easel.Invalid("ids", "must be at most "+strconv.Itoa(easel.MaxOps))
	case n > 0:
		seen := make(map[easel.ID]bool, n)
		for i, id := range m.IDs {
			if !id.Valid() {
				return nil, false, easel.Invalid("ids["+strconv.Itoa(i)+"]", "must be 32 lower-case hex characters")
			}
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
		return ids, false, nil
	case !(*m.MinConfidence >= 0 && *m.MinConfidence <= 1):
		return nil, false, easel.Invalid("min_confidence", "must be from 0 to 1")
	}
	more, err = eachByID(t.Tx(), s.image.ID, "", func(a *box) bool {
		if a.Source != easel.SourceModel || a.Confidence == nil || *a.Confidence < *m.MinConfidence {
			return true
		}
		if len(ids) == mostJudged {
			return false
		}
		ids = append(ids, a.ID)
		return true
	})
	return ids, more, err
}
