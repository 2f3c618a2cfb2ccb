package live_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// owner is a small model of an image's actor: what package canvas promises, with
// nothing that could fail.
type owner struct {
	epoch   string
	ver     int64
	boxes   map[easel.ID]easel.Annotation
	places  map[easel.ID][2]int64
	dead    map[easel.ID]bool
	log     []easel.Batch
	clients map[[2]string]*ownerClient
	chat    []easel.Message
	deleted bool
	older   bool // of a version that tells no places
	pages   int  // annotations of a page
	batches int  // batches of a log reply
}

type ownerClient struct {
	conn     string
	last     int64
	verdicts map[int64]canvas.Applied
}

func newOwner() *owner {
	return &owner{
		epoch: "e1", boxes: map[easel.ID]easel.Annotation{}, dead: map[easel.ID]bool{},
		places: map[easel.ID][2]int64{}, clients: map[[2]string]*ownerClient{}, pages: 3, batches: 2,
	}
}

// receive answers a message and returns what it publishes.
func (o *owner) receive(m actors.Message) (answer actors.Message, published []actors.Message, err error) {
	switch m := m.(type) {
	case canvas.Look:
		if o.deleted {
			return nil, nil, easel.Errorf(easel.CodeGone, "deleted")
		}
		return canvas.ImageReply{Epoch: o.epoch, Ver: o.ver}, nil, nil
	case canvas.Hello:
		return o.hello(m)
	case canvas.Apply:
		return o.apply(m)
	case canvas.Page:
		return o.page(m), nil, nil
	case canvas.Log:
		return o.read(m), nil, nil
	case canvas.Say:
		msg := easel.Message{ID: easel.ID("m" + strconv.Itoa(len(o.chat))), By: m.By.User, Text: m.Text}
		o.chat = append(o.chat, msg)
		return canvas.Said{Message: msg}, []actors.Message{canvas.Chatted{Message: msg}}, nil
	default:
		return nil, nil, easel.Errorf(easel.CodeInternal, "unknown message")
	}
}

func (o *owner) hello(m canvas.Hello) (actors.Message, []actors.Message, error) {
	reply := canvas.HelloReply{Epoch: o.epoch, Ver: o.ver, Image: easel.Image{ID: "i"}}
	if !m.By.Role.AtLeast(easel.Annotator) {
		return reply, nil, nil
	}
	key := [2]string{m.By.User, m.Client}
	c := o.clients[key]
	if c == nil {
		c = &ownerClient{verdicts: map[int64]canvas.Applied{}}
		o.clients[key] = c
	} else {
		reply.Known, reply.LastSeq = true, c.last
	}
	var published []actors.Message
	if c.conn != "" && c.conn != m.Conn {
		published = append(published, canvas.Replaced{User: m.By.User, Client: m.Client, Conn: c.conn, By: m.Conn})
	}
	c.conn = m.Conn
	return reply, published, nil
}

func (o *owner) apply(m canvas.Apply) (actors.Message, []actors.Message, error) {
	c := o.clients[[2]string{m.By.User, m.Client}]
	if c == nil {
		c = &ownerClient{verdicts: map[int64]canvas.Applied{}}
		o.clients[[2]string{m.By.User, m.Client}] = c
	}
	if m.Conn != "" && m.Conn != c.conn {
		return nil, nil, canvas.ErrReplaced
	}
	if v, ok := c.verdicts[m.Seq]; ok {
		return v, nil, nil
	}
	if m.Seq != c.last+1 {
		return nil, nil, &easel.Error{Code: easel.CodeBadSeq, Message: "bad seq", Expected: c.last + 1}
	}
	v := canvas.Applied{Seq: m.Seq, Epoch: o.epoch, Rejected: m.Refused}
	if !m.By.Role.AtLeast(easel.Annotator) {
		v.Rejected = easel.Errorf(easel.CodeForbidden, "forbidden")
	}
	var published []actors.Message
	if v.Rejected == nil {
		batch, rejected := o.perform(m)
		if v.Rejected = rejected; rejected == nil {
			for _, e := range batch.Ops {
				v.Results = append(v.Results, easel.Result{ID: e.ID})
			}
			encoded, _ := json.Marshal(batch)
			published = append(published, canvas.Accepted{Batch: batch, Encoded: encoded})
		}
	}
	v.Ver = o.ver
	c.last, c.verdicts[m.Seq] = m.Seq, v
	return v, published, nil
}

func (o *owner) perform(m canvas.Apply) (easel.Batch, *easel.Error) {
	b := easel.Batch{Ver: o.ver + 1, By: m.By.User, Conn: m.Conn, Seq: m.Seq}
	for _, op := range m.Ops {
		old, exists := o.boxes[op.ID]
		switch {
		case o.dead[op.ID]:
			return b, easel.Errorf(easel.CodeGone, "deleted")
		case op.Kind == easel.OpPut && exists:
			return b, easel.Errorf(easel.CodeConflict, "exists")
		case op.Kind != easel.OpPut && !exists:
			return b, easel.Errorf(easel.CodeNotFound, "never was")
		}
		e := easel.Effect{Kind: op.Kind, ID: op.ID}
		switch op.Kind {
		case easel.OpDelete:
			delete(o.boxes, op.ID)
			o.dead[op.ID] = true
		default:
			a := easel.Annotation{ID: op.ID, Label: m.Client + strconv.FormatInt(m.Seq, 10), Rev: old.Rev + 1}
			o.boxes[op.ID], e.Annotation = a, &a
			if !exists {
				o.places[op.ID] = [2]int64{b.Ver, int64(len(b.Ops))}
			}
		}
		b.Ops = append(b.Ops, e)
	}
	o.ver = b.Ver
	o.log = append(o.log, b)
	return b, nil
}

func (o *owner) page(m canvas.Page) canvas.PageReply {
	r := canvas.PageReply{Epoch: o.epoch, Ver: o.ver}
	for _, id := range slices.Sorted(maps.Keys(o.boxes)) {
		if id <= m.After {
			continue
		}
		if len(r.Annotations) == o.pages {
			r.More = true
			break
		}
		r.Annotations = append(r.Annotations, o.boxes[id])
		if !o.older {
			r.Places = append(r.Places, o.places[id])
		}
	}
	return r
}

func (o *owner) read(m canvas.Log) canvas.LogReply {
	r := canvas.LogReply{Epoch: o.epoch, Ver: o.ver}
	for _, b := range o.log {
		if b.Ver <= m.Since {
			continue
		}
		if len(r.Batches) == o.batches {
			r.Next = r.Batches[len(r.Batches)-1].Ver
			break
		}
		r.Batches = append(r.Batches, b)
	}
	return r
}

func accepted(ver int64, a *easel.Annotation) actors.Message {
	return canvas.Accepted{Batch: easel.Batch{Ver: ver, Ops: []easel.Effect{{Kind: easel.OpPut, ID: a.ID, Annotation: a}}}}
}

// list returns all annotations as an image lists them.
func (o *owner) list(ver int64) string {
	var all []canvas.Placed
	for id, a := range o.boxes {
		all = append(all, canvas.Placed{Annotation: &a, Ver: o.places[id][0], Pos: o.places[id][1]})
	}
	sheet, err := canvas.NewSheet(ver, all)
	if err != nil {
		panic(err)
	}
	return string(sheet.List(canvas.List{}))
}
