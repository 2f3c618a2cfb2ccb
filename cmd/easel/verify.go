package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/easelhq/easel/archive"
)

// verifyCommand walks a home and says what is wrong with it. It changes nothing.
type verifyCommand struct{ json bool }

func (v *verifyCommand) flags(fs *flag.FlagSet) {
	fs.BoolVar(&v.json, "json", false, "print one JSON object instead of text")
}

// manyLeftovers is how many leftovers of one kind are listed; of the others there is
// only the number, unless JSON is asked for.
const manyLeftovers = 10

// verifyAnswer is what --json prints.
type verifyAnswer struct {
	Store string `json:"store"`
	archive.Outcome
	Findings []archive.Finding `json:"findings"`
	Meanings map[string]string `json:"meanings"` // of the findings
}

func (v *verifyCommand) run(ctx context.Context, sh shell) (err error) {
	c, err := loader{command: "verify", only: storeKeys(), extra: v.flags}.load(sh)
	if err != nil {
		return err
	}
	home, err := openView(c, sh)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, home.Close()) }()
	bar := newProgressBar(sh.stderr, "verify")
	began := time.Now()
	answer := verifyAnswer{Store: home.place.String(), Findings: []archive.Finding{}, Meanings: map[string]string{}}
	meanings, left := archive.Meanings(), map[string]int{}
	answer.Outcome, err = archive.Verify{
		Audit: home.audit, Histories: home.histories, Blobs: home.blobs, Scratch: home.scratch, Report: bar.show,
		Found: func(f archive.Finding) {
			answer.Meanings[f.What] = meanings[f.What]
			if v.json {
				answer.Findings = append(answer.Findings, f)
				return
			}
			if left[f.What]++; f.Harmless && left[f.What] > manyLeftovers {
				return
			}
			bar.end()
			fmt.Fprintln(sh.stdout, findingText(f))
		},
	}.Run(ctx)
	bar.end()
	if err != nil {
		return badKey("store", "%v", err)
	}
	if v.json {
		enc := json.NewEncoder(sh.stdout)
		enc.SetIndent("", " ")
		if err := enc.Encode(answer); err != nil {
			return err
		}
	} else {
		printOutcome(sh, answer, left, began)
	}
	if answer.Problems > 0 {
		return fmt.Errorf("%d problems in %s", answer.Problems, answer.Store)
	}
	return nil
}

func findingText(f archive.Finding) string {
	state := "BAD "
	if f.Harmless {
		state = "left"
	}
	text := state + "  " + f.What
	for _, part := range []string{f.Object, f.Actor, f.Detail} {
		if part != "" {
			text += "  " + part
		}
	}
	return text
}

func printOutcome(sh shell, a verifyAnswer, found map[string]int, began time.Time) {
	for _, what := range slices.Sorted(maps.Keys(a.Meanings)) {
		fmt.Fprintf(sh.stdout, "%s (%d): %s\n", what, found[what], a.Meanings[what])
	}
	w := tabwriter.NewWriter(sh.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, kind := range slices.Sorted(maps.Keys(a.Checked)) {
		n := a.Checked[kind]
		size := ""
		if n.Bytes > 0 {
			size = bytesText(n.Bytes)
		}
		fmt.Fprintf(w, "%d\t%s\t %s\n", n.Objects, size, kind)
	}
	_ = w.Flush() // sh.stdout is the process's own
	fmt.Fprintf(sh.stdout, "%s: %d problems, %d left over, in %s\n", a.Store, a.Problems, a.Leftovers, took(began))
}
