package canvas

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/tenant"
)

const (
	askFirst       = 5 * time.Second // after a Prepare; then doubled
	askLast        = 5 * time.Minute
	decisionMemory = 7 * 24 * time.Hour
)

// intents is the memory's copy of the undecided parts of bulks.
type intents struct {
	pending map[easel.ID]intent
	size    int64 // annotations in all of them: their quota is reserved
	asked   int   // times that the coordinators were asked since the last Prepare
}

// intent is one undecided part.
type intent struct {
	ids         []easel.ID
	coordinator actors.Key
}

// reserves reports whether an intent is going to use id.
func (in *intents) reserves(id easel.ID) bool {
	for _, p := range in.pending {
		if slices.Contains(p.ids, id) {
			return true
		}
	}
	return false
}

func (in *intents) add(bulk easel.ID, p intent) {
	if in.pending == nil {
		in.pending = make(map[easel.ID]intent)
	}
	in.pending[bulk] = p
	in.size += int64(len(p.ids))
}

func (in *intents) remove(bulk easel.ID) {
	in.size -= int64(len(in.pending[bulk].ids))
	delete(in.pending, bulk)
}

// prepare promises that the drafts can be added whenever the decision comes.
func (s *State) prepare(t Turn, m Prepare) error {
	if _, ok := s.intents.pending[m.Bulk]; ok {
		return nil
	}
	accepted, err := loadDecision(t.Tx(), m.Bulk)
	switch {
	case err == nil && accepted:
		return nil
	case err == nil:
		return easel.Errorf(easel.CodeConflict, "bulk %s was given up", m.Bulk)
	case !errors.Is(err, sqlite.ErrNoRows):
		return err
	}
	if err := s.writable(m.By); err != nil {
		return err
	}
	if err := s.promisable(t, &m); err != nil {
		return err
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode intent: %w", err)
	}
	if err := insertIntent(t.Tx(), m.Bulk, len(m.IDs), body); err != nil {
		return err
	}
	s.intents.add(m.Bulk, intent{ids: m.IDs, coordinator: m.Coordinator})
	s.intents.asked = 0
	t.SetAlarm(alarmIntents, t.Now().Add(askFirst))
	return nil
}

// promisable checks all that could make the commit fail, and brings the drafts
// into their stored form.
func (s *State) promisable(t Turn, m *Prepare) error {
	n := len(m.Drafts)
	switch {
	case !m.Bulk.Valid():
		return easel.Invalid("bulk", "must be an id")
	case n < 1 || n > easel.MaxOps || len(m.IDs) != n:
		return easel.Invalid("annotations", "must be 1 to 500, each with an id")
	case s.head.live+s.intents.size+int64(n) > int64(s.options.MaxAnnotations):
		return s.full()
	}
	m.Drafts = slices.Clone(m.Drafts)
	seen := make(map[easel.ID]bool, n)
	size, more := 0, int64(0)
	for i, d := range m.Drafts {
		more += int64(len(d.Shape) + len(d.Attributes))
		if broken := d.Validate(""); len(broken) > 0 {
			return rules(fmt.Sprintf("annotations[%d].", i), broken)
		}
		if size += 350 + len(d.Label) + len(d.Shape) + len(d.Attributes) + 2*len(m.By.User); size > mostBatch {
			return errBatch
		}
		m.Drafts[i] = normal(d)
		id := m.IDs[i]
		if !id.Valid() || seen[id] || s.intents.reserves(id) {
			return easel.Invalid("ids", "must be fresh")
		}
		seen[id] = true
		b, err := loadBox(t.Tx(), s.image.ID, id)
		if err != nil {
			return err
		}
		if b != nil {
			return easel.Invalid("ids", "must be fresh")
		}
	}
	return s.roomForText(t, more) // nothing is set aside: what is promised may exceed it
}

// decide ends a bulk's part and tells the coordinator so. With strict, a commit
// of a bulk that is not known is an error: somebody waits for its effect.
func (s *State) decide(t Turn, m Decide, strict bool) error {
	p, pending := s.intents.pending[m.Bulk]
	switch {
	case pending:
		if err := s.end(t, m); err != nil {
			return err
		}
	case !s.image.born:
		return errNoImage
	case s.image.purged:
		// It waited for its bulks: there is nothing left to decide.
	default:
		accepted, err := loadDecision(t.Tx(), m.Bulk)
		switch {
		case err == nil && accepted != m.Commit:
			// The coordinator's word never changes, so this is a stranger's.
			return easel.Errorf(easel.CodeConflict, "bulk %s was decided otherwise", m.Bulk)
		case err == nil:
		case !errors.Is(err, sqlite.ErrNoRows):
			return err
		case !m.Commit:
			if err := s.remember(t, m); err != nil { // a late Prepare is refused
				return err
			}
		case strict:
			return easel.Errorf(easel.CodeNotFound, "no bulk %s", m.Bulk)
		}
	}
	coordinator := p.coordinator
	if coordinator == (actors.Key{}) {
		coordinator = tenant.Key(s.tenant)
	}
	t.Tell(actors.Request{To: coordinator, Message: tenant.Confirm{Bulk: m.Bulk, Image: s.image.ID}})
	return nil
}

// end commits or drops a pending intent.
func (s *State) end(t Turn, m Decide) error {
	var made *plan
	if m.Commit {
		stored, err := loadIntent(t.Tx(), m.Bulk)
		if err != nil {
			return err
		}
		made = s.newPlan(t, stored.By, len(stored.IDs))
		for i, id := range stored.IDs {
			made.create(id, i, stored.Drafts[i])
		}
	}
	if err := deleteIntent(t.Tx(), m.Bulk); err != nil {
		return err
	}
	if err := s.remember(t, m); err != nil {
		return err
	}
	if made != nil {
		// Neither role, quota nor a soft delete counts any more: it was promised.
		if _, err := s.accept(t, made, origin{}, false); err != nil {
			return err
		}
	}
	s.intents.remove(m.Bulk)
	if len(s.intents.pending) == 0 {
		t.ClearAlarm(alarmIntents)
	}
	return nil
}

// remember keeps a decision for repeats, and drops those that are too old.
func (s *State) remember(t Turn, m Decide) error {
	now := s.now(t)
	return insertDecision(t.Tx(), m.Bulk, m.Commit, now, now-easel.Time(decisionMemory.Milliseconds()))
}

// ask asks the coordinators of undecided bulks how they ended. They answer with
// a tenant.Verdict.
func (s *State) ask(t Turn) {
	if len(s.intents.pending) == 0 {
		return
	}
	for bulk, p := range s.intents.pending {
		t.Tell(actors.Request{To: p.coordinator, Message: tenant.Outcome{Bulk: bulk}})
	}
	s.intents.asked++
	t.SetAlarm(alarmIntents, t.Now().Add(backoff(s.intents.asked, askFirst, askLast)))
}
