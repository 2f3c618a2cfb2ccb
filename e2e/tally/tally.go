// Package tally is how long suites tell the program that runs them how far they
// are: a test adds reports to a file that the environment names, the program
// reads them. Without that variable nothing is written.
package tally

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"
)

// Variable names the file in the environment.
const Variable = "EASEL_TALLY"

// Report says how far a suite is. Each one replaces those before it.
type Report struct {
	Suite  string
	Round  int // that are done
	Rounds int // that shall be done; 0 if it goes by time
	Acked  int // ops that clients were told of, or appends
	Lost   int // of them that are not there
	Double int // of them that are there twice
	Faults map[string]int
	P50    time.Duration // of the pauses that clients saw; 0: none were measured
	P99    time.Duration
	Note   string // what else is worth a line in the table
}

// Pauses sets what is told of all pauses so far.
func (r *Report) Pauses(all []time.Duration) {
	if len(all) == 0 {
		return
	}
	sorted := slices.Sorted(slices.Values(all))
	at := func(percent int) time.Duration { return sorted[(len(sorted)*percent+99)/100-1] }
	r.P50, r.P99 = at(50), at(99)
}

// Count adds faults.
func (r *Report) Count(faults map[string]int) {
	if r.Faults == nil {
		r.Faults = map[string]int{}
	}
	for name, n := range faults {
		r.Faults[name] += n
	}
}

// Sum is how many faults there were.
func (r *Report) Sum() (sum int) {
	for n := range maps.Values(r.Faults) {
		sum += n
	}
	return sum
}

// Write adds the report to the file, if there is one to be written.
func (r *Report) Write() error {
	path := os.Getenv(Variable)
	if path == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// Read returns the last report of each suite in a file, in the order in which
// they first appear. A line that is being written is left out.
func Read(r io.Reader) ([]Report, error) {
	var out []Report
	index := map[string]int{}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		var one Report
		if err := json.Unmarshal(bytes.TrimSpace(line), &one); err != nil {
			return out, fmt.Errorf("read reports: %w", err)
		}
		i, ok := index[one.Suite]
		if !ok {
			i = len(out)
			index[one.Suite] = i
			out = append(out, one)
		}
		out[i] = one
	}
}
