package opcodec

import (
	"strconv"

	"github.com/easelhq/easel"
)

// AppendFrame appends ops as a socket's op frame: the inverse of ParseFrame.
func AppendFrame(b []byte, seq int64, ops []easel.Op) []byte {
	b = append(b, `{"t":"op","seq":`...)
	b = strconv.AppendInt(b, seq, 10)
	b = append(b, `,"ops":[`...)
	for i := range ops {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendOp(b, &ops[i])
	}
	return append(b, "]}"...)
}

func appendOp(b []byte, op *easel.Op) []byte {
	b = AppendString(append(b, `{"k":`...), string(op.Kind))
	if op.ID != "" {
		b = AppendString(append(b, `,"id":`...), string(op.ID))
	}
	if op.Draft != nil {
		b = AppendDraft(append(b, `,"annotation":`...), op.Draft)
	}
	if op.Set != nil {
		b = AppendPatch(append(b, `,"set":`...), op.Set)
	}
	if op.Base != 0 {
		b = strconv.AppendInt(append(b, `,"base":`...), op.Base, 10)
	}
	return append(b, '}')
}

// AppendDraft appends d as a client sends it. A shape goes without its box, which
// the server computes.
func AppendDraft(b []byte, d *easel.Draft) []byte {
	b = AppendString(append(b, `{"label":`...), d.Label)
	if d.Shape == "" {
		b = appendNumberField(b, "x", &d.X)
		b = appendNumberField(b, "y", &d.Y)
		b = appendNumberField(b, "width", &d.Width)
		b = appendNumberField(b, "height", &d.Height)
	} else {
		b = append(append(b, `,"shape":`...), d.Shape...)
	}
	b = appendNumberField(b, "confidence", d.Confidence)
	if d.Attributes != "" {
		b = append(append(b, `,"attributes":`...), d.Attributes...)
	}
	if d.Source != "" {
		b = AppendString(append(b, `,"source":`...), d.Source)
	}
	if d.Model != "" {
		b = AppendString(append(b, `,"model":`...), d.Model)
	}
	return append(b, '}')
}

// AppendPatch appends p as a client sends it: the inverse of ParsePatch.
func AppendPatch(b []byte, p *easel.Patch) []byte {
	from := len(b)
	if p.Label != nil {
		b = AppendString(append(b, `,"label":`...), *p.Label)
	}
	if p.Shape == nil || *p.Shape == "" {
		b = appendNumberField(b, "x", p.X)
		b = appendNumberField(b, "y", p.Y)
		b = appendNumberField(b, "width", p.Width)
		b = appendNumberField(b, "height", p.Height)
	}
	if p.ClearConfidence {
		b = append(b, `,"confidence":null`...)
	} else {
		b = appendNumberField(b, "confidence", p.Confidence)
	}
	if p.Shape != nil && *p.Shape == "" {
		b = append(b, `,"shape":null`...)
	} else if p.Shape != nil {
		b = append(append(b, `,"shape":`...), *p.Shape...)
	}
	if p.Attributes != "" {
		b = append(append(b, `,"attributes":`...), p.Attributes...)
	}
	if len(b) == from {
		b = append(b, '{')
	}
	b[from] = '{' // the first comma
	return append(b, '}')
}

func appendNumberField(b []byte, name string, v *float64) []byte {
	if v == nil {
		return b
	}
	b = append(append(append(b, `,"`...), name...), `":`...)
	return AppendFloat(b, *v)
}
