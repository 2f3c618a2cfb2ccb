package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/auth"
)

// exportCommand writes a whole tenant as plain files.
type exportCommand struct {
	tenant string
	issuer string
	to     string
}

func (e *exportCommand) flags(fs *flag.FlagSet) {
	fs.StringVar(&e.tenant, "tenant", "", "tenant, as tokens call it; user:SUB is the personal one of a user (required)")
	fs.StringVar(&e.issuer, "issuer", "", "issuer of the tenant's tokens, if they are signed with keys of --jwks-url")
	fs.StringVar(&e.to, "to", "", "a folder that is made, or FILE.tar (required)")
}

// storeKeys are the keys of the configuration that say where a home is.
func storeKeys() []string { return []string{"data", "store"} }

func (e *exportCommand) run(ctx context.Context, sh shell) (err error) {
	c, err := loader{command: "export", only: storeKeys(), extra: e.flags}.load(sh)
	if err != nil {
		return err
	}
	switch {
	case e.tenant == "":
		return badKey("tenant", "is required")
	case e.to == "":
		return badKey("to", "is required")
	}
	v, err := openView(c, sh)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	bar := newProgressBar(sh.stderr, "export")
	began := time.Now()
	sum, err := archive.Export{
		Histories: v.histories, Blobs: v.blobs, Tenant: e.tenant, ID: tenantID(e.issuer, e.tenant), To: e.to,
		Scratch: v.scratch, MadeBy: "easel " + buildVersion(), Now: easel.At(began), Report: bar.show,
	}.Run(ctx)
	bar.end()
	if errors.Is(err, archive.ErrNoTenant) {
		return badKey("tenant", "%v: %s", err, e.tenant)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(sh.stdout, "exported %s from %s to %s: %s, in %s\n", e.tenant, v.place, e.to, summaryText(sum), took(began))
	for _, w := range sum.Wrong {
		fmt.Fprintln(sh.stdout, "WRONG  "+w)
	}
	if n := len(sum.Wrong); n > 0 {
		return fmt.Errorf("%d things in the archive do not fit together: the home was written meanwhile (export again), or is damaged (easel verify)", n)
	}
	return nil
}

// tenantID returns the id of a tenant as an operator calls it.
func tenantID(issuer, name string) easel.TenantID {
	if sub, personal := strings.CutPrefix(name, auth.PersonalPrefix); personal {
		return auth.Personal(issuer, sub)
	}
	return auth.Team(issuer, name)
}

func summaryText(s archive.Summary) string {
	return fmt.Sprintf("%d actors, %d blobs, %s; %d parts moved, the others were there", s.Actors, s.Blobs, bytesText(s.Bytes), s.Moved)
}

func took(began time.Time) time.Duration { return time.Since(began).Round(100 * time.Millisecond) }
