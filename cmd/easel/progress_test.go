package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel/archive"
)

func TestProgressIsABarOnATerminalAndLinesElsewhere(t *testing.T) {
	for name, live := range map[string]bool{"terminal": true, "pipe": false} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			b := newProgressBar(&out, "export")
			b.live, b.now = live, func() time.Time { return now }
			b.shown = now
			for done := range int64(1001) {
				b.show(archive.Tick{Phase: "blobs", Done: done, Total: 1000, Bytes: done << 20})
				now = now.Add(30 * time.Millisecond)
			}
			b.end()
			text := out.String()
			if live {
				if strings.Contains(text, "\n") || !strings.Contains(text, "[###############...............] blobs 5") || !strings.HasSuffix(text, "\r") {
					t.Errorf("%q", text)
				}
				return
			}
			if n := strings.Count(text, "\n"); n != 2 || strings.Contains(text, "\r") || !strings.Contains(text, "easel export: blobs 334 of 1000, 334 MiB\n") {
				t.Errorf("%d lines: %q", n, text)
			}
		})
	}
}

func TestStoreCommandsSayWhatIsMissing(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"export"}, "--tenant: is required"},
		{[]string{"export", "--tenant", "acme"}, "--to: is required"},
		{[]string{"import"}, "--from: is required"},
		{[]string{"import", "--from", "/no/such/thing"}, "--from: "},
		{[]string{"verify", "--store", "dir:/no/such/thing"}, "--store: "},
		{[]string{"verify", "--store", "s3://bucket"}, "--store: needs AWS_ACCESS_KEY_ID"},
	} {
		code, _, errs := easelCommand(t, nil, tc.args...)
		if code != exitBadUsage || !strings.Contains(errs, tc.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("easel %v: exit %d, %s, want %q", tc.args, code, errs, tc.want)
		}
	}
}
