package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
)

// encodeChecked returns a line with a checksum and a line of JSON, so that a
// head can be read with the eyes. The prefix names the format.
func encodeChecked(prefix string, v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%s%08x\n%s\n", prefix, crc32.Checksum(body, castagnoli), body), nil
}

// decodeChecked undoes encodeChecked into v, a pointer.
func decodeChecked(prefix string, b []byte, v any) error {
	rest, ok := bytes.CutPrefix(b, []byte(prefix))
	if !ok || len(rest) < 10 || rest[8] != '\n' || rest[len(rest)-1] != '\n' {
		return errors.New("no head")
	}
	sum, err := strconv.ParseUint(string(rest[:8]), 16, 32)
	if err != nil || fmt.Sprintf("%08x", sum) != string(rest[:8]) {
		return errors.New("no checksum")
	}
	body := rest[9 : len(rest)-1]
	if crc32.Checksum(body, castagnoli) != uint32(sum) {
		return errors.New("bad checksum")
	}
	return json.Unmarshal(body, v)
}
