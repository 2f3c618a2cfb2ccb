package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/easelhq/easel/e2e/tally"
)

// screen shows progress: a bar on a terminal, else a line now and then.
type screen struct {
	out      io.Writer
	terminal bool
	said     time.Time
}

// sayEvery is how often a screen that is no terminal says how far a suite is.
const sayEvery = 30 * time.Second

func newScreen(f *os.File) *screen {
	info, err := f.Stat()
	return &screen{out: f, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0, said: time.Now()}
}

func (s *screen) progress(r tally.Report, took, budget time.Duration) {
	if !s.terminal && time.Since(s.said) < sayEvery {
		return
	}
	s.said = time.Now()
	// A suite ends when its rounds are done or its time is over.
	part := took.Seconds() / budget.Seconds()
	if r.Rounds > 0 {
		part = max(part, float64(r.Round)/float64(r.Rounds))
	}
	line := fmt.Sprintf("%-28s %s %s rounds  %s acked  %s faults  %s",
		r.Suite, bar(part), rounds(r), number(r.Acked), number(r.Sum()), took.Round(time.Second))
	if s.terminal {
		fmt.Fprintf(s.out, "\r\x1b[K%.150s", line)
		return
	}
	fmt.Fprintln(s.out, line)
}

// done replaces the bar by what came of the suite.
func (s *screen) done(rows []row) {
	if s.terminal {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
	for _, r := range rows {
		fmt.Fprintf(s.out, "%-28s %s rounds  %s acked  %s faults  %s  %s\n",
			r.Suite, rounds(r.Report), number(r.Acked), number(r.Sum()), r.took.Round(time.Second), r.result)
	}
}

func bar(part float64) string {
	const width = 24
	full := int(min(max(part, 0), 1) * width)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "]"
}

func rounds(r tally.Report) string {
	if r.Rounds == 0 {
		return number(r.Round)
	}
	return number(r.Round) + "/" + number(r.Rounds)
}

// number writes thousands apart.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// table is the summary, as Markdown, so that it can be kept.
func table(out io.Writer, rows []row, took time.Duration) {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| suite\t| rounds\t| acknowledged\t| lost\t| double\t| pause, p50\t| p99\t| faults\t| duration\t| result\t|")
	fmt.Fprintln(w, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, r := range rows {
		acked, lost, double := "–", "–", "–"
		if r.Acked > 0 { // not every suite has clients who are told something
			acked, lost, double = number(r.Acked), number(r.Lost), number(r.Double)
		}
		p50, p99 := "–", "–"
		if r.P99 > 0 {
			p50, p99 = r.P50.Round(time.Millisecond).String(), r.P99.Round(time.Millisecond).String()
		}
		fmt.Fprintf(w, "| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t|\n",
			r.Suite, rounds(r.Report), acked, lost, double, p50, p99, number(r.Sum()), r.took.Round(time.Second), r.result)
	}
	_ = w.Flush() // out is a terminal, a pipe or a file: nobody is left to tell
	for _, r := range rows {
		if r.Note != "" {
			fmt.Fprintf(out, "%s: %s\n", r.Suite, r.Note)
		}
	}
	fmt.Fprintf(out, "in all %s\n", took.Round(time.Second))
}
