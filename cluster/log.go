package cluster

import (
	"context"
	"log/slog"
	"strings"
)

// gossipLog gives memberlist's lines the level that they name. Its warnings about
// single packets are told as debug: any stranger can cause them.
type gossipLog struct{ slog.Handler }

func (h gossipLog) Enabled(context.Context, slog.Level) bool { return true }

func (h gossipLog) Handle(ctx context.Context, r slog.Record) error {
	level, text := slog.LevelDebug, r.Message
	if rest, ok := strings.CutPrefix(text, "[ERR] "); ok {
		level, text = slog.LevelWarn, rest
	} else if _, rest, ok := strings.Cut(text, "] "); ok {
		text = rest
	}
	if !h.Handler.Enabled(ctx, level) {
		return nil
	}
	told := slog.NewRecord(r.Time, level, "gossip", 0)
	told.AddAttrs(slog.String("text", strings.TrimPrefix(text, "memberlist: ")))
	return h.Handler.Handle(ctx, told)
}

// quiet makes protoactor's log debug: links come and go, and what matters of it is
// told by this package.
type quiet struct{ slog.Handler }

func (h quiet) Enabled(ctx context.Context, _ slog.Level) bool {
	return h.Handler.Enabled(ctx, slog.LevelDebug)
}

func (h quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return h.Handler.Handle(ctx, r)
}

func (h quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{h.Handler.WithAttrs(attrs)} }
func (h quiet) WithGroup(name string) slog.Handler       { return quiet{h.Handler.WithGroup(name)} }
