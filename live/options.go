package live

import (
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/easelhq/easel"
)

// Options of the rooms of a node. The zero value is good.
type Options struct {
	Limits Limits        // what clients may do; zero fields: the contract's defaults
	Queues Queues        // outgoing side of a session
	Linger time.Duration // how long an empty room stays; 0: 10 s
	// RingNodes and RingBytes bound what a room keeps for those who come back;
	// 0: 1024 and 2 MiB.
	RingNodes int
	RingBytes int64
	// Retry is how long a room tries to deliver an op frame whose outcome is
	// unknown before it tells the client; 0: 15 s.
	Retry time.Duration
	// Tracer makes the spans of the fan-out; nil: none, at no cost.
	Tracer trace.Tracer
}

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	o.Queues = o.Queues.withDefaults()
	if o.Linger == 0 {
		o.Linger = 10 * time.Second
	}
	if o.RingNodes == 0 {
		o.RingNodes = 1024
	}
	if o.RingBytes == 0 {
		o.RingBytes = 2 << 20
	}
	if o.Retry == 0 {
		o.Retry = 15 * time.Second
	}
	return o
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&l.ClientOps, 500},
		{&l.ClientBurst, 2000},
		{&l.Presence, 30},
		{&l.ImageOps, 5000},
		{&l.Sockets, 1000},
		{&l.Annotations, 100_000},
		{&l.FrameBytes, 64 << 10},
		{&l.OpsPerFrame, easel.MaxOps},
		{&l.Unanswered, 32},
		{&l.TenantOps, 20_000},
		{&l.TenantSockets, 10_000},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}
