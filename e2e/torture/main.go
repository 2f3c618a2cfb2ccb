package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

// settings are what the flags say.
type settings struct {
	total time.Duration // for all suites together
	scale float64       // of all numbers of rounds
	short bool          // the part that CI runs
	// cluster: the suites of several nodes instead of those of one
	cluster bool
	only    *regexp.Regexp
	logs    string // folder for the output of tests
}

// errFailed says that a suite has failed, which the table has shown.
var errFailed = errors.New("a suite failed")

func run(ctx context.Context, args []string, stdout *os.File, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.logs, 0o700); err != nil {
		return err
	}
	show := newScreen(stdout)
	all := chosen(s)
	began := time.Now()
	var rows []row
	failed := false
	for i, one := range all {
		left := max(s.total-time.Since(began), 10*time.Second)
		got, err := one.run(ctx, s, share(all[i:], left), show)
		rows = append(rows, got...)
		if ctx.Err() != nil {
			failed = true
			break
		}
		if err != nil {
			failed = true
			fmt.Fprintf(stdout, "%s: %v\n", one.name, err)
		}
	}
	table(stdout, rows, time.Since(began))
	if failed {
		return errFailed
	}
	return nil
}

func parse(args []string, stderr io.Writer) (settings, error) {
	f := flag.NewFlagSet("torture", flag.ContinueOnError)
	f.SetOutput(stderr)
	minutes := f.Float64("minutes", 45, "begin no more rounds after this; the suites share it")
	s := settings{}
	f.Float64Var(&s.scale, "scale", 1, "multiplies all numbers of rounds")
	f.BoolVar(&s.short, "short", false, "a part of everything, in about 4 minutes")
	f.BoolVar(&s.cluster, "cluster", false, "the suites of several nodes, instead of those of one")
	f.StringVar(&s.logs, "logs", "bin/torture", "folder for what the tests say")
	only := f.String("only", "", "only suites whose names match this regular expression")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	s.total = time.Duration(*minutes * float64(time.Minute))
	if s.short {
		s.total, s.scale = min(s.total, 4*time.Minute), s.scale/10
	}
	var err error
	s.only, err = regexp.Compile(*only)
	return s, err
}
