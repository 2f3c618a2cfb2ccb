package fencing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// EncodeChecked returns a line with a checksum and a line of JSON, so that a
// head can be read with the eyes. The prefix names the format.
func EncodeChecked[T any](prefix string, v T) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%s%08x\n%s\n", prefix, crc32.Checksum(body, castagnoli), body), nil
}

// DecodeChecked undoes EncodeChecked.
func DecodeChecked[T any](prefix string, b []byte) (v T, err error) {
	rest, ok := bytes.CutPrefix(b, []byte(prefix))
	if !ok || len(rest) < 10 || rest[8] != '\n' || rest[len(rest)-1] != '\n' {
		return v, errors.New("no head")
	}
	sum, err := strconv.ParseUint(string(rest[:8]), 16, 32)
	if err != nil || fmt.Sprintf("%08x", sum) != string(rest[:8]) {
		return v, errors.New("no checksum")
	}
	body := rest[9 : len(rest)-1]
	if crc32.Checksum(body, castagnoli) != uint32(sum) {
		return v, errors.New("bad checksum")
	}
	return v, json.Unmarshal(body, &v)
}
