package live

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/opcodec"
)

// Bounds of what a client says besides ops.
const (
	maxName  = 100       // display name, code points
	maxState = 16 * 1024 // presence state, bytes
	maxIDs   = 500       // selection
)

// Inbound is one frame of a client: exactly one of its fields is set, or Type
// alone for those that have no body.
type Inbound struct {
	Type     string // as "t"
	Hello    *HelloFrame
	Op       *OpFrame
	Presence stdjson.RawMessage // the state of a pres frame
	Text     string             // of a chat frame
	Token    string             // of an auth frame
	Bad      *easel.Error       // why the frame is answered with err
}

// The types of client frames.
const (
	TypeHello    = "hello"
	TypeOp       = "op"
	TypePresence = "pres"
	TypeChat     = "chat"
	TypeAuth     = "auth"
	TypePing     = "ping"
)

// Position names a version of one history of an image.
type Position struct {
	Epoch string `json:"epoch"`
	Ver   int64  `json:"ver"`
}

// HelloFrame introduces a client.
type HelloFrame struct {
	Client string
	Since  *Position // nil: nothing yet
	Name   string    // display name; "" for the token's
}

// OpFrame is one batch of ops. If Refused is set the frame has a usable seq but
// its ops cannot be taken.
type OpFrame struct {
	opcodec.Frame
	Refused *easel.Error
}

// Parse reads one text frame. ok is false if it is not UTF-8, not JSON or not an
// object: the socket is then closed with CloseBadFrame. Everything else that is
// wrong with a frame is in Inbound.Bad or OpFrame.Refused, and the socket stays.
func Parse(text []byte) (in Inbound, ok bool) {
	if !utf8.Valid(text) || !stdjson.Valid(text) {
		return Inbound{}, false
	}
	if body := bytes.TrimLeft(text, " \t\r\n"); body[0] != '{' {
		return Inbound{}, false
	}
	t, err := frameType(text)
	if err != nil {
		return Inbound{Bad: err}, true
	}
	in = Inbound{Type: t}
	switch t {
	case TypeOp:
		f, err := opcodec.ParseFrame(text)
		if err != nil && f.Seq == 0 {
			return Inbound{Bad: asError(err)}, true
		}
		in.Op = &OpFrame{Frame: f}
		if err != nil {
			in.Op.Refused = asError(err)
		}
	case TypeHello:
		in.Hello, in.Bad = parseHello(text)
	case TypePresence:
		in.Presence, in.Bad = parsePresence(text)
	case TypeChat:
		var f struct {
			T    string  `json:"t"`
			Text *string `json:"text"`
		}
		if in.Bad = strict(text, &f); in.Bad == nil {
			in.Text, in.Bad = required("text", f.Text)
		}
		if n := utf8.RuneCountInString(in.Text); in.Bad == nil && (n < 1 || n > easel.MaxMessage) {
			in.Bad = easel.Invalid("text", "must have 1 to "+strconv.Itoa(easel.MaxMessage)+" characters")
		}
	case TypeAuth:
		var f struct {
			T     string  `json:"t"`
			Token *string `json:"token"`
		}
		if in.Bad = strict(text, &f); in.Bad == nil {
			in.Token, in.Bad = required("token", f.Token)
		}
	case TypePing:
		var f struct {
			T string `json:"t"`
		}
		in.Bad = strict(text, &f)
	default:
		in.Bad = easel.Errorf(easel.CodeBadRequest, "unknown frame type")
	}
	return in, true
}

// frameType finds the frame's "t". It looks at no other key, so that a faulty op
// is still known for one.
func frameType(text []byte) (string, *easel.Error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true))
	if _, err := dec.ReadToken(); err != nil {
		return "", easel.Errorf(easel.CodeBadRequest, "not a frame")
	}
	found := ""
	for dec.PeekKind() == jsontext.KindString {
		name, err := dec.ReadToken()
		if err != nil {
			break
		}
		isType := name.String() == "t"
		if !isType {
			if err := dec.SkipValue(); err != nil {
				break
			}
			continue
		}
		value, err := dec.ReadToken()
		if err != nil || value.Kind() != jsontext.KindString {
			return "", easel.Errorf(easel.CodeBadRequest, "t must be a string")
		}
		if found != "" {
			return "", easel.Errorf(easel.CodeBadRequest, "duplicate key t")
		}
		found = value.String()
	}
	if found == "" {
		return "", easel.Errorf(easel.CodeBadRequest, "t is required")
	}
	return found, nil
}

func parseHello(text []byte) (*HelloFrame, *easel.Error) {
	var f struct {
		T      string  `json:"t"`
		Client *string `json:"client"`
		Since  *struct {
			Epoch *string `json:"epoch"`
			Ver   *int64  `json:"ver"`
		} `json:"since"`
		Name *string `json:"name"`
	}
	if err := strict(text, &f); err != nil {
		return nil, err
	}
	client, bad := required("client", f.Client)
	if bad != nil {
		return nil, bad
	}
	if !opcodec.ValidClient(client) {
		return nil, easel.Invalid("client", "must have 1 to "+strconv.Itoa(opcodec.MaxClient)+" bytes")
	}
	h := &HelloFrame{Client: client}
	if f.Since != nil {
		if f.Since.Epoch == nil || f.Since.Ver == nil {
			return nil, easel.Invalid("since", "needs epoch and ver")
		}
		if *f.Since.Ver < 0 {
			return nil, easel.Invalid("since.ver", "must be at least 0")
		}
		h.Since = &Position{Epoch: *f.Since.Epoch, Ver: *f.Since.Ver}
	}
	if f.Name != nil {
		if utf8.RuneCountInString(*f.Name) > maxName {
			return nil, easel.Invalid("name", "must have at most "+strconv.Itoa(maxName)+" characters")
		}
		h.Name = *f.Name
	}
	return h, nil
}

// parsePresence checks the parts of a state that others rely on; keys beyond
// them are passed on as they are.
func parsePresence(text []byte) (stdjson.RawMessage, *easel.Error) {
	var f struct {
		T     string         `json:"t"`
		State jsontext.Value `json:"state"`
	}
	if err := strict(text, &f); err != nil {
		return nil, err
	}
	if len(f.State) == 0 {
		return nil, easel.Invalid("state", "is required")
	}
	if len(f.State) > maxState {
		return nil, easel.Errorf(easel.CodeTooLarge, "state must have at most %d bytes", maxState)
	}
	var s struct {
		Cursor    *[]float64                 `json:"cursor"`
		Selection *[]string                  `json:"selection"`
		Draft     *map[string]jsontext.Value `json:"draft"`
		View      *[]jsontext.Value          `json:"view"`
	}
	if f.State.Kind() != jsontext.KindBeginObject {
		return nil, easel.Errorf(easel.CodeBadRequest, "state must be an object")
	}
	if err := json.Unmarshal(f.State, &s); err != nil {
		return nil, badRequest(err)
	}
	if s.Cursor != nil && len(*s.Cursor) != 2 {
		return nil, easel.Invalid("state.cursor", "must be [x, y]")
	}
	if s.Selection != nil {
		if len(*s.Selection) > maxIDs {
			return nil, easel.Invalid("state.selection", "must have at most "+strconv.Itoa(maxIDs)+" ids")
		}
		for _, id := range *s.Selection {
			if !easel.ID(id).Valid() {
				return nil, easel.Invalid("state.selection", "must be ids")
			}
		}
	}
	return stdjson.RawMessage(f.State), nil
}

// strict decodes text without duplicate or unknown keys. Keys are matched by
// case.
func strict[T any](text []byte, v *T) *easel.Error {
	if err := json.Unmarshal(text, v, json.RejectUnknownMembers(true)); err != nil {
		return badRequest(err)
	}
	return nil
}

func badRequest(err error) *easel.Error {
	message := "bad frame"
	if s, ok := errors.AsType[*json.SemanticError](err); ok {
		message = "bad value at " + strconv.QuoteToASCII(shorten(string(s.JSONPointer)))
		if errors.Is(err, json.ErrUnknownName) {
			message = "unknown key at " + strconv.QuoteToASCII(shorten(string(s.JSONPointer)))
		}
	} else if errors.Is(err, jsontext.ErrDuplicateName) {
		message = "duplicate key"
	}
	return &easel.Error{Code: easel.CodeBadRequest, Message: message, Err: err}
}

func shorten(s string) string {
	const most = 100
	if len(s) > most {
		return s[:most]
	}
	return s
}

func required(name string, v *string) (string, *easel.Error) {
	if v == nil {
		return "", easel.Invalid(name, "is required")
	}
	return *v, nil
}

// asError returns err as what a client may see of it.
func asError(err error) *easel.Error {
	if e, ok := errors.AsType[*easel.Error](err); ok {
		return e
	}
	return &easel.Error{Code: easel.CodeInternal, Message: "internal error", Err: err}
}
