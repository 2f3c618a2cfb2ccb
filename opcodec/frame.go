package opcodec

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/easelhq/easel"
)

// MaxClient is the longest client id, in bytes.
const MaxClient = 64

// maxSeq is the largest integer that every JSON reader holds exactly.
const maxSeq = 1<<53 - 1

// Frame is a batch of ops as a client sent it.
type Frame struct {
	Client string // only in a REST body
	Seq    int64
	Ops    []easel.Op
	// Hash is of the ops as they were meant, whatever their spelling; if they
	// could not be read, of their bytes. A repeat of a frame has the same Hash.
	Hash string
}

// ParseFrame reads a socket's {"t":"op","seq":N,"ops":[...]}. With an error, the
// frame's Seq and Hash are still set if it has a usable seq: the error is then
// the verdict on it; with Seq 0 it answers no op.
func ParseFrame(b []byte) (Frame, error) { return parse(b, false) }

// ParseBody reads a REST body {"client":"...","seq":N,"ops":[...]}. With an
// error, Client, Seq and Hash are set if both client and seq are usable.
func ParseBody(b []byte) (Frame, error) { return parse(b, true) }

func parse(b []byte, body bool) (Frame, error) {
	f, err := parseStrict(b, body)
	if err == nil {
		f.Hash = Hash(f.Ops)
		return f, nil
	}
	return identify(b, body), err
}

// parseStrict reads a whole frame, or says what is wrong with it.
func parseStrict(b []byte, body bool) (Frame, error) {
	r := newReader(b)
	var (
		f                      Frame
		hasClient, hasSeq, has bool
	)
	err := r.object(top, func(name string) error {
		var err error
		switch {
		case name == "t" && !body:
			_, err = r.text(top, "t")
		case name == "client" && body:
			hasClient = true
			if f.Client, err = r.text(top, "client"); err == nil && !ValidClient(f.Client) {
				r.invalid("client", clientRule)
			}
		case name == "seq":
			hasSeq = true
			f.Seq, err = r.integer(top, "seq")
		case name == "ops":
			has = true
			f.Ops, err = r.ops()
		default:
			err = unknown(name)
		}
		return err
	})
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return Frame{}, err
	}
	for _, field := range []struct {
		name string
		ok   bool
	}{{"client", hasClient || !body}, {"seq", hasSeq}, {"ops", has}} {
		if !field.ok {
			r.invalid(field.name, "is required")
		}
	}
	return f, r.verdict()
}

const clientRule = "must have 1 to 64 bytes"

// ValidClient reports whether a client id may be used: 1 to MaxClient bytes of
// UTF-8.
func ValidClient(client string) bool {
	return client != "" && len(client) <= MaxClient && utf8.ValidString(client)
}

// identify finds out to whom a bad frame belongs, if it says so at all: it is
// lenient about everything but the seq and the client.
func identify(b []byte, body bool) Frame {
	dec := jsontext.NewDecoder(bytes.NewBuffer(b), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != jsontext.KindBeginObject {
		return Frame{}
	}
	var (
		f                Frame
		seqs, clients    int
		content          []byte
		usable, complete bool
	)
	for dec.PeekKind() == jsontext.KindString {
		name, err := dec.ReadToken()
		if err != nil {
			return Frame{}
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return Frame{}
		}
		switch key {
		case "seq":
			seqs++
			f.Seq, usable = integer(value)
		case "client":
			clients++
			f.Client, _ = unquote(value)
		default:
			content = append(append(content, key...), value...)
		}
	}
	t, err := dec.ReadToken()
	complete = err == nil && t.Kind() == jsontext.KindEndObject
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		complete = false
	}
	if !complete || !usable || seqs != 1 || body && (clients != 1 || !ValidClient(f.Client)) {
		return Frame{}
	}
	if !body {
		f.Client = ""
	}
	f.Hash = hashBytes(content)
	return f
}

// integer returns the value of a JSON number that is spelled as an integer from
// 1 to maxSeq.
func integer(value jsontext.Value) (int64, bool) {
	n, err := strconv.ParseInt(string(value), 10, 64)
	return n, err == nil && n >= 1 && n <= maxSeq
}

func unquote(value jsontext.Value) (string, bool) {
	if value.Kind() != jsontext.KindString {
		return "", false
	}
	if s := value[1 : len(value)-1]; bytes.IndexByte(s, '\\') < 0 {
		return string(s), true
	}
	s, err := jsontext.AppendUnquote(nil, value)
	return string(s), err == nil
}

func unknown(path string) error {
	return &easel.Error{
		Code: easel.CodeBadRequest, Message: "unknown key " + strconv.QuoteToGraphic(short(path)),
		Details: []easel.Detail{{Path: short(path), Message: "is not known"}},
	}
}

func wrongType(path, want string) error {
	if path == "" {
		path = "the body"
	}
	return &easel.Error{
		Code: easel.CodeBadRequest, Message: path + " must be " + want,
		Details: []easel.Detail{{Path: path, Message: "must be " + want}},
	}
}

// syntax says what is wrong with text that is not JSON by our rules.
func syntax(err error) error {
	message := "not JSON"
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		message = "not JSON at byte " + strconv.FormatInt(s.ByteOffset, 10)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			message = "duplicate key at byte " + strconv.FormatInt(s.ByteOffset, 10)
		}
	}
	return &easel.Error{Code: easel.CodeBadRequest, Message: message, Err: err}
}

// short bounds what an error repeats of a request.
func short(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
