package actors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/easelhq/easel"
)

// Codec turns messages into bytes and back, by their names: for the verdicts of a
// Once and for the network between nodes. It is safe for concurrent use.
type Codec struct {
	types map[string]reflect.Type
}

// NewCodec makes a codec for the types of the prototypes, and for the messages of
// the runtime itself that are stored or cross nodes. Messages are kept as JSON, so
// all their fields are exported. A name for two types is an error.
func NewCodec(prototypes ...Message) (*Codec, error) {
	own := []Message{Empty{}, wake{}, timerSet{}, timerWoken{}, timerTick{}, timerForget{}, Expel{}, yield{}, yielded{}}
	c := &Codec{types: make(map[string]reflect.Type, len(prototypes)+len(own))}
	for _, p := range append(own, prototypes...) {
		name, typ := p.MessageName(), reflect.TypeOf(p)
		if old, dup := c.types[name]; dup && old != typ {
			return nil, fmt.Errorf("actors: message name %q is used by %v and %v", name, old, typ)
		}
		c.types[name] = typ
	}
	return c, nil
}

// Encode returns the message's name and its bytes: JSON, in which a
// json.RawMessage keeps its text except for white space. A message of a type that
// is not registered is an error.
func (c *Codec) Encode(m Message) (name string, body []byte, err error) {
	name = m.MessageName()
	if c.types[name] != reflect.TypeOf(m) {
		return "", nil, fmt.Errorf("actors: message %q is not registered", name)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // what was encoded without it would become other bytes
	if err := e.Encode(m); err != nil {
		return "", nil, fmt.Errorf("encode %s: %w", name, err)
	}
	return name, bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Decode is the inverse of Encode. It may be given anything: a name that is not
// registered and a body that does not fit are errors.
func (c *Codec) Decode(name string, body []byte) (Message, error) {
	typ, ok := c.types[name]
	if !ok {
		return nil, fmt.Errorf("actors: message %q is not registered", name)
	}
	p := reflect.New(typ)
	if err := json.Unmarshal(body, p.Interface()); err != nil {
		return nil, fmt.Errorf("decode %s: %w", name, err)
	}
	return p.Elem().Interface().(Message), nil
}

// verdict is the stored form of an answer: exactly one of Name and Error is set.
type verdict struct {
	Name  string          `json:"m,omitempty"`
	Body  json.RawMessage `json:"b,omitempty"`
	Error *easel.Error    `json:"e,omitempty"`
}

func (c *Codec) encodeVerdict(m Message, e *easel.Error) ([]byte, error) {
	if e != nil {
		return json.Marshal(verdict{Error: e})
	}
	name, body, err := c.Encode(m)
	if err != nil {
		return nil, err
	}
	return json.Marshal(verdict{Name: name, Body: body})
}

// decodeVerdict is the inverse of encodeVerdict; a stored error comes back as an
// *easel.Error.
func (c *Codec) decodeVerdict(b []byte) (Message, error) {
	var v verdict
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, fmt.Errorf("decode verdict: %w", err)
	}
	if v.Error != nil {
		return nil, v.Error
	}
	return c.Decode(v.Name, v.Body)
}

// Empty is the answer of an actor that has nothing to say.
type Empty struct{}

// MessageName implements Message.
func (Empty) MessageName() string { return "actors.empty" }
