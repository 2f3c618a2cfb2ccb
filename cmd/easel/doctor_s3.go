package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/easelhq/easel/blob"
)

// doctorTime is how long a bucket may take to answer all that doctor asks.
const doctorTime = 20 * time.Second

// bucket checks a home in a bucket: that it can be written and read, that it
// keeps the conditions of writes, which members of a cluster cannot do without, and
// that its clock is ours.
func (d *doctorCommand) bucket(ctx context.Context, h durableHome, member bool) {
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	s, err := h.openS3("doctor")
	if err != nil {
		d.say("store", err, "")
		return
	}
	defer s.Close()
	err = s.Probe(ctx)
	switch {
	case errors.Is(err, blob.ErrUnconditional) && member:
		d.say("store", badKey("store", "%s ignores conditional writes, so that nothing would keep the nodes of a cluster apart (%v)", h, err), "")
	case errors.Is(err, blob.ErrUnconditional):
		d.say("store", nil, "%s can be written and read, but ignores conditional writes: only one node may use it (%v)", h, err)
	case err != nil:
		d.say("store", badKey("store", "%v", err), "")
		return
	default:
		d.say("store", nil, "%s can be written and read, and keeps conditional writes", h)
	}
	d.say("clock", bucketClock(ctx, s), "within a minute of the store's")
}

// bucketClock writes an object and compares the time that the store gave it.
func bucketClock(ctx context.Context, s *blob.S3) (err error) {
	key := "clock-" + hex.EncodeToString(randomBytes(8))
	now := time.Now()
	if _, err := s.PutIfAbsent(ctx, key, []byte("clock")); err != nil {
		return fmt.Errorf("write a probe: %w", err)
	}
	defer func() { err = errors.Join(err, s.Delete(ctx, key)) }()
	info, err := s.Stat(ctx, key)
	if err != nil {
		return fmt.Errorf("read the probe: %w", err)
	}
	if off := info.Modified.Sub(now); off > clockSlack || off < -clockSlack {
		return fmt.Errorf("it is %s here and %s in the store", now.UTC().Format(time.RFC3339), info.Modified.UTC().Format(time.RFC3339))
	}
	return nil
}
