package opcodec

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/easelhq/easel"
)

// Annotation reads what AppendAnnotation wrote.
func Annotation(b []byte) (easel.Annotation, error) {
	var out easel.Annotation
	if err := json.Unmarshal(b, &out); err != nil {
		return easel.Annotation{}, fmt.Errorf("decode annotation: %w", err)
	}
	return out, nil
}
