package journal

import (
	"bytes"
	"testing"
)

// The parsers are not exported, so their fuzz targets are in the package.

func FuzzHead(f *testing.F) {
	id := bytes.Repeat([]byte("0a"), 32)
	for _, h := range []head{
		{Name: "image/t/a", Erased: true},
		{Name: "image/t/a", Term: 3, Last: 9, Template: string(id), L1: []headFile{{File: "l1-1", From: 1, To: 9, Size: 10, CRC: 1}}},
		{Name: "a", Last: 9, Template: string(id), Snap: &headFile{File: "snap-8", To: 8, Size: 1}, L1: []headFile{{From: 9, To: 9}}},
	} {
		b, err := encodeHead(h)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := decodeHead(b)
		if err != nil {
			return
		}
		again, err := encodeHead(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeHead(again); err != nil {
			t.Errorf("a sound head does not survive: %v", err)
		}
	})
}

func FuzzSegment(f *testing.F) {
	const salt = 7
	b := appendSegmentHeader(nil, 1, begin{first: 1, salt: salt})
	payload := []byte("payload")
	for i := range uint64(3) {
		b = appendRecordHeader(b, record{
			kind: kindBatch, nameLen: 1, payloadLen: uint32(len(payload)),
			bodyCRC: bodyCRC("a", payload), lsn: i + 1, synced: i, owner: ownerOf("a"), seq: i + 1, term: 1,
		}, salt)
		b = append(append(b, 'a'), payload...)
	}
	f.Add(b)
	f.Add(b[:len(b)-3])
	f.Add(b[:segmentHeader])
	f.Fuzz(func(t *testing.T, b []byte) {
		parseSegmentHeader(b, 1)
		at := int64(segmentHeader)
		for _, r := range scanRecords(b, salt) {
			if r.off != at || r.size <= 0 {
				t.Fatalf("record at %d of %d bytes, want one at %d", r.off, r.size, at)
			}
			at += r.size
			if r.body && at > int64(len(b)) {
				t.Fatalf("record at %d ends at %d of %d", r.off, at, len(b))
			}
			cutOff(b, r.off, at)
		}
		if at < int64(len(b)) {
			t.Fatalf("scan ends at %d of %d", at, len(b))
		}
	})
}
