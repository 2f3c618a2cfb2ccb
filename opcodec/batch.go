package opcodec

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/easelhq/easel"
)

// Batch is the inverse of AppendBatch.
func Batch(b []byte) (easel.Batch, error) {
	var out easel.Batch
	if err := json.Unmarshal(b, &out); err != nil {
		return easel.Batch{}, fmt.Errorf("decode batch: %w", err)
	}
	return out, nil
}
