package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestTracesGoNowhereUnlessAskedFor(t *testing.T) {
	for name, e := range map[string]env{
		"nothing set": {},
		"no exporter": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
		"disabled":    {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
	} {
		t.Run(name, func(t *testing.T) {
			tr, err := newTracing(t.Context(), e.lookup, "n", "r")
			if err != nil {
				t.Fatal(err)
			}
			_, span := tr.provider.Tracer("test").Start(t.Context(), "turn")
			if span.IsRecording() {
				t.Error("a span is recorded")
			}
			if err := tr.flush(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTracesGoToTheCollector(t *testing.T) {
	got := make(chan string, 8)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case got <- r.URL.Path:
		default:
		}
	}))
	defer collector.Close()
	// The exporter reads the process's own environment.
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	tr, err := newTracing(t.Context(), env{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL}.lookup, "n", "r")
	if err != nil {
		t.Fatal(err)
	}
	_, span := tr.provider.Tracer("test").Start(t.Context(), "turn")
	span.End()
	if err := tr.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case path := <-got:
		if path != "/v1/traces" {
			t.Errorf("sent to %s", path)
		}
	case <-time.After(5 * time.Second):
		t.Error("nothing was sent")
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestLogFormats(t *testing.T) {
	var b bytes.Buffer
	newLogger(LogConfig{Format: "json", Level: slog.LevelWarn}, &b).Warn("disk is full", "free", 1)
	var line struct {
		Msg  string
		Free int
	}
	if err := json.Unmarshal(b.Bytes(), &line); err != nil || line.Msg != "disk is full" || line.Free != 1 {
		t.Errorf("%q: %v", b.String(), err)
	}
	b.Reset()
	newLogger(LogConfig{Format: "text", Level: slog.LevelWarn}, &b).Info("not this one")
	if b.Len() > 0 {
		t.Errorf("got %q", b.String())
	}
}
