package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// newLogger writes structured lines to w.
func newLogger(c LogConfig, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// newRegistry returns a registry of our own, with the facts about the process.
func newRegistry(node, region string) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "easel_build_info",
			Help:        "Always 1; the labels say what runs.",
			ConstLabels: prometheus.Labels{"version": buildVersion(), "node": node, "region": region},
		}, func() float64 { return 1 }),
	)
	return r
}

// tracing is where spans go: nowhere, unless the standard variables name an
// OTLP/HTTP collector.
type tracing struct {
	provider trace.TracerProvider
	stop     func(context.Context) error
}

// newTracing reads OTEL_EXPORTER_OTLP_ENDPOINT and its kin; the exporter itself
// reads the rest of them (headers, time-outs, TLS, sampling).
func newTracing(ctx context.Context, lookup func(string) (string, bool), node, region string) (tracing, error) {
	set := func(name string) string { v, _ := lookup(name); return v }
	off := strings.EqualFold(set("OTEL_SDK_DISABLED"), "true") || set("OTEL_TRACES_EXPORTER") == "none" ||
		set("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == ""
	if off {
		return tracing{noop.NewTracerProvider(), func(context.Context) error { return nil }}, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return tracing{}, fmt.Errorf("open trace exporter: %w", err)
	}
	name := set("OTEL_SERVICE_NAME")
	if name == "" {
		name = "easel"
	}
	about, err := resource.New(ctx, resource.WithFromEnv(), resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", name),
		attribute.String("service.version", buildVersion()),
		attribute.String("service.instance.id", node),
		attribute.String("cloud.region", region),
	))
	if err != nil {
		return tracing{}, fmt.Errorf("describe this node for traces: %w", err)
	}
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	return tracing{p, p.Shutdown}, nil
}

// tracer returns what makes the spans of a part, or nil if nobody wants any, so
// that a part need not look for what is not there.
func (t tracing) tracer(part string) trace.Tracer {
	if _, off := t.provider.(noop.TracerProvider); off {
		return nil
	}
	return t.provider.Tracer("github.com/easelhq/easel/" + part)
}

// flush sends the spans that wait and stops. A collector that is away costs a few
// seconds and no failure: it is not what the node is for.
func (t tracing) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := t.stop(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
