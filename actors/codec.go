package actors

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/easelhq/easel"
)

// codec turns messages into bytes and back, by their names.
type codec struct {
	types map[string]reflect.Type
}

func newCodec(prototypes []Message) (*codec, error) {
	c := &codec{types: make(map[string]reflect.Type, len(prototypes))}
	for _, p := range append(prototypes, Empty{}) {
		name, typ := p.MessageName(), reflect.TypeOf(p)
		if old, dup := c.types[name]; dup && old != typ {
			return nil, fmt.Errorf("actors: message name %q is used by %v and %v", name, old, typ)
		}
		c.types[name] = typ
	}
	return c, nil
}

// verdict is the stored form of an answer: exactly one of Name and Error is set.
type verdict struct {
	Name  string          `json:"m,omitempty"`
	Body  json.RawMessage `json:"b,omitempty"`
	Error *easel.Error    `json:"e,omitempty"`
}

func (c *codec) encode(m Message, e *easel.Error) ([]byte, error) {
	if e != nil {
		return json.Marshal(verdict{Error: e})
	}
	name := m.MessageName()
	if c.types[name] != reflect.TypeOf(m) {
		return nil, fmt.Errorf("actors: message %q is not registered", name)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	return json.Marshal(verdict{Name: name, Body: body})
}

// decode is the inverse of encode; a stored error comes back as an *easel.Error.
func (c *codec) decode(b []byte) (Message, error) {
	var v verdict
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, fmt.Errorf("decode verdict: %w", err)
	}
	if v.Error != nil {
		return nil, v.Error
	}
	typ, ok := c.types[v.Name]
	if !ok {
		return nil, fmt.Errorf("actors: message %q is not registered", v.Name)
	}
	p := reflect.New(typ)
	if err := json.Unmarshal(v.Body, p.Interface()); err != nil {
		return nil, fmt.Errorf("decode %s: %w", v.Name, err)
	}
	return p.Elem().Interface().(Message), nil
}

// Empty is the answer of an actor that has nothing to say.
type Empty struct{}

// MessageName implements Message.
func (Empty) MessageName() string { return "actors.empty" }
