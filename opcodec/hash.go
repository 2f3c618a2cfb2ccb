package opcodec

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"

	"github.com/easelhq/easel"
)

// Hash returns a name for the content of ops: equal for equal ops, however they
// were spelled in JSON, and different for others.
func Hash(ops []easel.Op) string {
	b := make([]byte, 0, 128*len(ops))
	for i := range ops {
		op := &ops[i]
		b = appendText(b, string(op.Kind))
		b = appendText(b, string(op.ID))
		b = binary.AppendVarint(b, op.Base)
		if d := op.Draft; d != nil {
			b = append(b, 'd')
			b = appendText(b, d.Label)
			for _, v := range [...]float64{d.X, d.Y, d.Width, d.Height} {
				b = appendNumber(b, &v)
			}
			b = appendNumber(b, d.Confidence)
			// What a plain box does not have adds nothing, so that its hash is the one
			// that was stored before there were shapes.
			b = appendMore(b, d.Shape, d.Attributes)
			if d.Source != "" || d.Model != "" {
				b = appendText(appendText(append(b, 'm'), d.Source), d.Model)
			}
		}
		if s := op.Set; s != nil {
			b = append(b, 's')
			if s.Label != nil {
				b = appendText(append(b, 1), *s.Label)
			} else {
				b = append(b, 0)
			}
			for _, v := range [...]*float64{s.X, s.Y, s.Width, s.Height, s.Confidence} {
				b = appendNumber(b, v)
			}
			if s.ClearConfidence {
				b = append(b, 'c')
			}
			if s.Shape != nil && *s.Shape == "" {
				b = append(b, 'p')
			} else if s.Shape != nil {
				b = appendMore(b, *s.Shape, "")
			}
			b = appendMore(b, "", s.Attributes)
		}
		b = append(b, '.')
	}
	return hashBytes(b)
}

func appendMore(b []byte, shape easel.Shape, attributes easel.Attributes) []byte {
	if shape != "" {
		b = appendText(append(b, 'g'), string(shape))
	}
	if attributes != "" {
		b = appendText(append(b, 'a'), string(attributes))
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendNumber(b []byte, v *float64) []byte {
	if v == nil {
		return append(b, 0)
	}
	return binary.BigEndian.AppendUint64(append(b, 1), math.Float64bits(*v))
}

// hashBytes returns 128 bits of SHA-256 in hex: enough against a client that
// wants to fool itself.
func hashBytes(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
