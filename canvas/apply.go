package canvas

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// limitRetry is what a client is told to wait at MaxAnnotations.
const limitRetry = 30 * time.Second

// apply takes one batch: from a client by seq, or as a plain REST write.
func (s *State) apply(t Turn, m Apply) (Applied, error) {
	if m.Client != "" {
		return s.applyOnce(t, m)
	}
	if err := s.writable(m.By); err != nil {
		return Applied{}, err
	}
	p, err := s.plan(t, m.By, m.Ops)
	if err != nil {
		return Applied{}, plain(err, len(m.Ops))
	}
	return s.accept(t, p, origin{}, m.Full)
}

// plain turns an error about a frame of one op into one about the body of a REST
// write, which is that op's annotation or set.
func plain(err error, ops int) error {
	e, ok := errors.AsType[*easel.Error](err)
	if !ok || ops != 1 || len(e.Details) == 0 {
		return err
	}
	out := *e
	out.Details = nil
	for _, d := range e.Details {
		field, found := strings.CutPrefix(d.Path, "ops[0].annotation.")
		if !found {
			field, found = strings.CutPrefix(d.Path, "ops[0].set.")
		}
		if found {
			out.Details = append(out.Details, easel.Detail{Path: field, Message: d.Message})
		}
	}
	if len(out.Details) > 0 {
		out.Message = out.Details[0].Path + " " + out.Details[0].Message
	}
	return &out
}

// writable requires that ops of this author may be applied at all.
func (s *State) writable(by Author) error {
	if s.image.DeletedAt != 0 {
		return errDeleted
	}
	return may(by, easel.Annotator, "annotate")
}

// origin is what a batch shows of where it came from.
type origin struct {
	conn string
	seq  int64
}

// accept makes a planned batch the next version. A plan without effect, of
// repeats of what is already there, changes nothing.
func (s *State) accept(t Turn, p *plan, from origin, full bool) (Applied, error) {
	out := Applied{Seq: from.seq, Ver: s.head.ver, Results: p.results, Epoch: s.image.epoch}
	if full {
		out.Annotations = p.after
	}
	if len(p.effects) == 0 {
		return out, nil
	}
	batch := easel.Batch{Ver: s.head.ver + 1, By: p.by.User, Conn: from.conn, At: p.at, Ops: p.effects}
	if from.conn != "" {
		batch.Seq = from.seq
	}
	body := opcodec.AppendBatch(make([]byte, 0, 128+max(p.size, len(p.effects)*70)), &batch)
	tx := t.Tx()
	for _, b := range p.touched {
		if err := b.store(tx); err != nil {
			return Applied{}, err
		}
	}
	next := s.head
	next.ver, next.at, next.live, next.commit = batch.Ver, p.at, s.head.live+p.growth, t.Commit()
	next.total += int64(len(body))
	if err := insertLog(tx, next, body); err != nil {
		return Applied{}, err
	}
	s.head = next
	s.text.bytes += p.text()
	s.lengthened(t)
	s.listing.supersede(t.Commit())
	s.labels.add(p.touched)
	s.touch(t)
	t.Publish(Accepted{Batch: batch, Encoded: body})
	out.Ver = batch.Ver
	return out, nil
}

// plan is a batch worked out in memory: nothing is written before all of it is
// known to be possible.
type plan struct {
	s       *State
	t       Turn
	by      Author
	at      easel.Time
	boxes   map[easel.ID]*box
	touched []*box // boxes in the order in which they were first changed
	effects []easel.Effect
	results []easel.Result
	after   []easel.Annotation // after each op
	growth  int64              // of the number of live annotations
	size    int                // estimate of the batch as JSON, in bytes
}

// box is one annotation during a plan.
type box struct {
	easel.Annotation
	ver, pos int64             // of creation
	before   *easel.Annotation // as stored; nil: not there
	dead     bool
	buried   int64 // the version that deleted it last; 0: none
	touched  bool
}

// plan works ops out against the file. Later ops see what earlier ones did.
func (s *State) plan(t Turn, by Author, ops []easel.Op) (*plan, error) {
	if n := len(ops); n < 1 || n > easel.MaxOps {
		return nil, easel.Invalid("ops", "must have 1 to "+strconv.Itoa(easel.MaxOps)+" ops")
	}
	p := s.newPlan(t, by, len(ops))
	for i := range ops {
		if err := p.op(i, &ops[i]); err != nil {
			return nil, err
		}
		if p.size > mostBatch {
			return nil, errBatch
		}
	}
	if err := s.roomFor(t, p); err != nil {
		return nil, err
	}
	return p, nil
}

// mostBatch bounds a batch as JSON, in bytes: well below what waits for a reader
// at most, so that no single batch is too much for one. Plain boxes never come
// near it.
const mostBatch = 768 << 10

var errBatch = &easel.Error{
	Code:    easel.CodeTooLarge,
	Message: "the annotations of one batch must have at most " + strconv.Itoa(mostBatch) + " bytes as JSON; send fewer ops at once",
}

func (s *State) newPlan(t Turn, by Author, ops int) *plan {
	return &plan{
		s: s, t: t, by: by, at: s.now(t),
		boxes:   make(map[easel.ID]*box, ops),
		effects: make([]easel.Effect, 0, ops),
		results: make([]easel.Result, 0, ops),
		after:   make([]easel.Annotation, 0, ops),
	}
}

func (s *State) full() error {
	return &easel.Error{
		Code:       easel.CodeRateLimited,
		Message:    "an image holds at most " + strconv.Itoa(s.options.MaxAnnotations) + " annotations",
		RetryAfter: limitRetry,
	}
}

func (p *plan) op(i int, op *easel.Op) error {
	if op.Kind == easel.OpPut {
		return p.put(i, op)
	}
	where := "ops[" + strconv.Itoa(i) + "]"
	if !op.ID.Valid() {
		return easel.Invalid(where+".id", "must be 32 lower-case hex characters")
	}
	b, err := p.find(op.ID)
	switch {
	case err != nil:
		return err
	case b == nil:
		return opError(easel.CodeNotFound, where, "no annotation "+string(op.ID))
	case b.dead:
		return opError(easel.CodeGone, where, "annotation "+string(op.ID)+" is deleted")
	case op.Base != 0 && op.Base != b.Rev:
		err := opError(easel.CodeConflict, where, "annotation "+string(op.ID)+" is at rev "+strconv.FormatInt(b.Rev, 10))
		err.Current = b.current()
		return err
	}
	switch op.Kind {
	case easel.OpPatch:
		return p.patch(where, b, op)
	case easel.OpDelete:
		p.remove(b)
		return nil
	default:
		return easel.Invalid(where+".k", "must be put, patch or del")
	}
}

func opError(code easel.Code, where, message string) *easel.Error {
	return &easel.Error{Code: code, Message: message, Details: []easel.Detail{{Path: where, Message: message}}}
}

func (p *plan) put(i int, op *easel.Op) error {
	if op.Draft == nil {
		return easel.Invalid("ops["+strconv.Itoa(i)+"].annotation", "is required")
	}
	d := normal(*op.Draft)
	if broken := d.Validate(""); len(broken) > 0 {
		return rules("ops["+strconv.Itoa(i)+"].annotation.", broken)
	}
	id := op.ID
	if id == "" {
		p.create(easel.NewID(), i, d)
		return nil
	}
	where := "ops[" + strconv.Itoa(i) + "]"
	if !id.Valid() {
		return easel.Invalid(where+".id", "must be 32 lower-case hex characters")
	}
	if p.s.intents.reserves(id) {
		return opError(easel.CodeConflict, where, "id "+string(id)+" is taken")
	}
	b, err := p.find(id)
	switch {
	case err != nil:
		return err
	case b == nil:
		p.create(id, i, d)
		return nil
	case b.dead:
		return opError(easel.CodeGone, where, "annotation "+string(id)+" is deleted")
	case b.CreatedBy == p.by.User && b.Draft().Equal(d):
		p.result(b)
		return nil
	default:
		err := opError(easel.CodeConflict, where, "annotation "+string(id)+" exists")
		err.Current = b.current()
		return err
	}
}

// create adds an annotation under an id that never was.
func (p *plan) create(id easel.ID, pos int, d easel.Draft) {
	b := &box{
		Annotation: easel.Annotation{
			ID: id, ImageID: p.s.image.ID,
			CreatedBy: p.by.User, CreatedAt: p.at, UpdatedBy: p.by.User, UpdatedAt: p.at, Rev: 1,
		},
		ver: p.s.head.ver + 1, pos: int64(pos),
	}
	b.setDraft(d)
	p.boxes[id] = b
	p.growth++
	p.changed(easel.OpPut, b)
}

func (p *plan) patch(where string, b *box, op *easel.Op) error {
	if op.Set == nil {
		return easel.Invalid(where+".set", "is required")
	}
	if broken := op.Set.Misplaced(b.Shape); len(broken) > 0 {
		return rules(where+".set.", broken)
	}
	d := normal(op.Set.Apply(b.Draft()))
	if broken := d.Validate(""); len(broken) > 0 {
		return rules(where+".set.", broken)
	}
	b.setDraft(d)
	b.UpdatedBy, b.UpdatedAt = p.by.User, p.at
	b.Rev++
	p.changed(easel.OpPatch, b)
	return nil
}

func (p *plan) remove(b *box) {
	b.dead, b.buried = true, p.s.head.ver+1
	p.growth--
	p.touch(b)
	p.effects = append(p.effects, easel.Effect{Kind: easel.OpDelete, ID: b.ID})
	p.result(b)
}

// changed notes that b was put or patched.
func (p *plan) changed(kind easel.OpKind, b *box) {
	p.touch(b)
	p.result(b)
	p.size += jsonSize(&b.Annotation)
	p.effects = append(p.effects, easel.Effect{Kind: kind, ID: b.ID, Annotation: &p.after[len(p.after)-1]})
}

func (p *plan) touch(b *box) {
	if !b.touched {
		b.touched = true
		p.touched = append(p.touched, b)
	}
}

// result notes the outcome of an op. The slice has room for one an op, so that
// pointers into it stay good.
func (p *plan) result(b *box) {
	p.results = append(p.results, easel.Result{ID: b.ID, Rev: b.Rev})
	p.after = append(p.after, b.Annotation)
}

// find returns the annotation as the batch has left it so far; nil if it never
// was.
func (p *plan) find(id easel.ID) (*box, error) {
	if b, ok := p.boxes[id]; ok {
		return b, nil
	}
	b, err := loadBox(p.t.Tx(), p.s.image.ID, id)
	if err != nil {
		return nil, err
	}
	p.boxes[id] = b
	return b, nil
}

func (b *box) setDraft(d easel.Draft) {
	b.Label, b.X, b.Y, b.Width, b.Height, b.Confidence = d.Label, d.X, d.Y, d.Width, d.Height, d.Confidence
	b.Shape, b.Attributes, b.Source, b.Model = d.Shape, d.Attributes, d.Source, d.Model
}

// current is what a failed compare-and-set is shown: the stored annotation,
// because what the batch itself did to it is undone.
func (b *box) current() []byte {
	if b.before != nil {
		return opcodec.AppendAnnotation(nil, b.before)
	}
	return opcodec.AppendAnnotation(nil, &b.Annotation)
}

// normal returns d without negative zeros.
func normal(d easel.Draft) easel.Draft {
	d.X, d.Y = opcodec.Zero(d.X), opcodec.Zero(d.Y)
	if d.Confidence != nil {
		v := opcodec.Zero(*d.Confidence)
		d.Confidence = &v
	}
	return d
}

// rules makes one error of broken rules.
func rules(prefix string, broken []easel.Detail) error {
	for i := range broken {
		broken[i].Path = prefix + broken[i].Path
	}
	return &easel.Error{Code: easel.CodeInvalid, Message: broken[0].Path + " " + broken[0].Message, Details: broken}
}
