package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/sqlite"
)

// importCommand brings a tenant that was exported into a home.
type importCommand struct{ from string }

func (i *importCommand) flags(fs *flag.FlagSet) {
	fs.StringVar(&i.from, "from", "", "what easel export made: a folder or FILE.tar (required)")
}

func (i *importCommand) run(ctx context.Context, sh shell) (err error) {
	c, err := loader{command: "import", only: storeKeys(), extra: i.flags}.load(sh)
	if err != nil {
		return err
	}
	if i.from == "" {
		return badKey("from", "is required")
	}
	if _, err := os.Stat(i.from); err != nil {
		return badKey("from", "%v", err)
	}
	place, err := parseHome(c, sh.lookup)
	if err != nil {
		return err
	}
	var down teardown
	defer func() { err = errors.Join(err, down.run()) }()
	if place.bucket == nil {
		h := &house{}
		down.add("folders", h.Close)
		if err := h.lock("store", place.dir); err != nil {
			return err
		}
	}
	blobs, err := place.openBlobs()
	if err != nil {
		return err
	}
	down.add("blobs", blobs.Close)
	log := slog.New(slog.NewTextHandler(sh.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	history, err := place.openJournal("import", true, log, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	down.add("journal", history.Close)
	scratch, err := os.MkdirTemp("", "easel-")
	if err != nil {
		return err
	}
	down.add("scratch", func() error { return os.RemoveAll(scratch) })
	both, ok := history.(interface {
		journal.Journal
		journal.Reader
	})
	if !ok {
		return fmt.Errorf("the home %s cannot be read back", place)
	}
	bar := newProgressBar(sh.stderr, "import")
	began := time.Now()
	m, sum, err := archive.Import{From: i.from, Journal: both, Blobs: blobs, Scratch: scratch, Report: bar.show}.Run(ctx)
	bar.end()
	switch {
	case errors.Is(err, archive.ErrTenantExists), errors.Is(err, archive.ErrTenantUsed), errors.Is(err, archive.ErrTenantErased):
		return badKey("store", "%v", err)
	case errors.Is(err, sqlite.ErrNewer), errors.Is(err, archive.ErrNotArchive):
		return badKey("from", "%v", err)
	case err != nil:
		return err
	}
	_, err = io.WriteString(sh.stdout, fmt.Sprintf("imported %s from %s into %s: %s, in %s\n", m.Tenant, i.from, place, summaryText(sum), took(began)))
	return err
}
