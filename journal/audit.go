package journal

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"log/slog"
	"strings"

	"github.com/easelhq/easel/pages"
)

// Auditor is told what a walk over a home finds. Its methods are called one at a
// time.
type Auditor interface {
	// Checked tells that one object of a kind was read and looked at, whatever came
	// of it.
	Checked(kind ObjectKind, bytes int64)
	// Found tells what is wrong, or left over.
	Found(f Finding)
}

// ObjectKind is what an object of a journal is.
type ObjectKind string

// The objects of a journal.
const (
	ObjectSegment   ObjectKind = "segment"  // of a folder's log
	ObjectBatch     ObjectKind = "batch"    // in a segment, or a slot of a bucket's log
	ObjectSeal      ObjectKind = "seal"     // the end of a term
	ObjectHead      ObjectKind = "head"     // of a living actor
	ObjectTombstone ObjectKind = "erased"   // the head of an erased actor
	ObjectSnapshot  ObjectKind = "snapshot" // full
	ObjectMerge     ObjectKind = "merge"    // of batches
	ObjectTemplate  ObjectKind = "template" // what histories start from
)

// Finding is one thing that a walk over a home found.
type Finding struct {
	What   What
	Object string // its path below the journal
	Actor  Name   // "" if none, or unknown
	Detail string
}

// What names a kind of finding.
type What string

// What is wrong: something acknowledged may be lost, or a checksum failed.
const (
	HeadDamaged     What = "head_damaged"
	HeadMissing     What = "head_missing"
	FileMissing     What = "file_missing"
	FileDamaged     What = "file_damaged"
	TemplateMissing What = "template_missing"
	TemplateDamaged What = "template_damaged"
	LogDamaged      What = "log_damaged"
	SealMissing     What = "seal_missing"
	BatchesMissing  What = "batches_missing"
)

// What is only left over, by a crash for the most part, and harms nobody.
const (
	Unreferenced What = "unreferenced"
	Unborn       What = "unborn"
	ErasedRest   What = "erased_rest"
	Foreign      What = "foreign"
)

// Harmless reports whether nothing is wrong: it is only something left over.
func (w What) Harmless() bool {
	return w == Unreferenced || w == Unborn || w == ErasedRest || w == Foreign
}

// Meaning says in a sentence what a finding means.
func (w What) Meaning() string {
	switch w {
	case HeadDamaged:
		return "the register of an actor fails its checksum: the actor stays closed"
	case HeadMissing:
		return "an actor has files and no register: its history cannot be put together"
	case FileMissing:
		return "a merge or snapshot that an actor stands on is not there: the actor stays closed"
	case FileDamaged:
		return "a merge or snapshot is not what its actor's head says: the actor stays closed"
	case TemplateMissing:
		return "the file that a history starts from is not there: such actors stay closed"
	case TemplateDamaged:
		return "the file that histories start from is not what its name says: such actors stay closed"
	case LogDamaged:
		return "the log contradicts itself or fails a checksum: the actors concerned stay closed"
	case SealMissing:
		return "a term that was taken over has no seal: its old owner could still append"
	case BatchesMissing:
		return "batches between those that are there are gone: the actor stays closed"
	case Unreferenced:
		return "nobody names it; a crash left it, and it goes with the next compaction or with the actor"
	case Unborn:
		return "a birth that came to nothing"
	case ErasedRest:
		return "it arrived after its actor was erased; the second sweep removes it"
	case Foreign:
		return "it is no object of a journal"
	default:
		return ""
	}
}

// audit is a walk.
type audit struct {
	to Auditor
}

func (a audit) found(what What, object string, actor Name, format string, args ...any) {
	a.to.Found(Finding{What: what, Object: object, Actor: actor, Detail: fmt.Sprintf(format, args...)})
}

// file checks the bytes of a merge or a snapshot against its head.
func (a audit) file(object string, actor Name, hf headFile, body []byte) {
	kind := ObjectMerge
	if hf.From == 0 {
		kind = ObjectSnapshot
	}
	a.to.Checked(kind, int64(len(body)))
	if int64(len(body)) != hf.Size {
		a.found(FileDamaged, object, actor, "%d bytes, not %d", len(body), hf.Size)
		return
	}
	if crc32.Checksum(body, castagnoli) != hf.CRC {
		a.found(FileDamaged, object, actor, "bad checksum")
		return
	}
	h, err := pages.EachLTX(body, func(pages.Page) error { return nil })
	if err != nil {
		a.found(FileDamaged, object, actor, "%v", err)
	} else if h.Span.From != hf.From || h.Span.To != hf.To {
		a.found(FileDamaged, object, actor, "it covers batches %d to %d, not %d to %d", h.Span.From, h.Span.To, hf.From, hf.To)
	}
}

// template checks a template against its name.
func (a audit) template(object, id string, body []byte) {
	a.to.Checked(ObjectTemplate, int64(len(body)))
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != 32 {
		a.found(Foreign, object, "", "no template's name")
	} else if !sumsTo(body, id) {
		a.found(TemplateDamaged, object, "", "its SHA-256 is another")
	}
}

// auditLog is a slog.Handler: what replay reports as an error is a finding.
type auditLog struct {
	audit
	attrs []slog.Attr
}

var _ slog.Handler = auditLog{}

func (auditLog) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

func (l auditLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	l.attrs = append(l.attrs[:len(l.attrs):len(l.attrs)], attrs...)
	return l
}

func (l auditLog) WithGroup(string) slog.Handler { return l }

func (l auditLog) Handle(_ context.Context, r slog.Record) error {
	var actor Name
	text := []string{r.Message}
	add := func(at slog.Attr) bool {
		if at.Key == "actor" {
			actor = Name(at.Value.String())
		} else {
			text = append(text, at.Key+" "+at.Value.String())
		}
		return true
	}
	for _, at := range l.attrs {
		add(at)
	}
	r.Attrs(add)
	l.found(LogDamaged, "log", actor, "%s", strings.Join(text, ", "))
	return nil
}
