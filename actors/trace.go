package actors

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// span starts the span of one message's turn if its request is traced.
func (a *durable) span(e *envelope) (context.Context, trace.Span) {
	if !trace.SpanContextFromContext(e.ctx).IsSampled() {
		return e.ctx, nil
	}
	return a.sys.config.Tracer.Start(e.ctx, "turn "+e.message.MessageName(),
		trace.WithAttributes(attribute.String("easel.kind", a.kind.Name)))
}

// appendSpans starts a span for the journal below each traced message of h.
func (a *durable) appendSpans(h *held) []trace.Span {
	var spans []trace.Span
	for _, o := range h.outputs {
		if o.env != nil && trace.SpanContextFromContext(o.env.ctx).IsSampled() {
			_, s := a.sys.config.Tracer.Start(o.env.ctx, "journal.append")
			spans = append(spans, s)
		}
	}
	return spans
}
