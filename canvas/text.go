package canvas

import (
	"strconv"

	"github.com/easelhq/easel"
)

// text is how much the shapes and attributes of an image have, in bytes. It is
// counted when somebody first adds to them: plain boxes have none, and their number
// is bounded.
type text struct {
	counted bool
	bytes   int64
}

func textOf(a *easel.Annotation) int64 { return int64(len(a.Shape) + len(a.Attributes)) }

// text returns by how many bytes of text the batch makes the image grow.
func (p *plan) text() int64 {
	n := int64(0)
	for _, b := range p.touched {
		if !b.dead {
			n += textOf(&b.Annotation)
		}
		if b.before != nil {
			n -= textOf(b.before)
		}
	}
	return n
}

// roomFor returns an error if the image cannot take a batch.
func (s *State) roomFor(t Turn, p *plan) error {
	if p.growth > 0 && s.head.live+p.growth+s.intents.size > int64(s.options.MaxAnnotations) {
		return s.full()
	}
	return s.roomForText(t, p.text())
}

// roomForText returns an error if the image cannot take so many bytes of text more.
func (s *State) roomForText(t Turn, more int64) error {
	if more <= 0 {
		return nil
	}
	if !s.text.counted {
		n, err := countText(t.Tx())
		if err != nil {
			return err
		}
		s.text = text{counted: true, bytes: n}
	}
	if s.text.bytes+more <= s.options.MaxText {
		return nil
	}
	return &easel.Error{
		Code:       easel.CodeRateLimited,
		Message:    "the shapes and attributes of an image have at most " + strconv.FormatInt(s.options.MaxText, 10) + " bytes",
		RetryAfter: limitRetry,
	}
}
