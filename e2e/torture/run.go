package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/easelhq/easel/e2e/tally"
)

// row is a line of the table.
type row struct {
	tally.Report
	took   time.Duration
	result string
}

// How long a suite may take after its time to finish what it has begun, or
// everything.
const (
	grace      = 5 * time.Minute
	wholeGrace = 45 * time.Minute
)

// run runs the suite's test and returns what it has reported: one row, or several
// if the test is several.
func (s suite) run(ctx context.Context, set settings, budget time.Duration, show *screen) ([]row, error) {
	base := filepath.Join(set.logs, strings.NewReplacer(" ", "-", ",", "").Replace(s.name))
	binary, err := s.build(ctx, set.logs)
	if err != nil {
		return []row{{Report: tally.Report{Suite: s.name}, result: "not built"}}, err
	}
	log, err := os.Create(base + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	reports := base + ".reports"
	if err := os.RemoveAll(reports); err != nil {
		return nil, err
	}
	if reports, err = filepath.Abs(reports); err != nil {
		return nil, err
	}
	late := grace
	if s.whole {
		late = wholeGrace
	}
	args := append([]string{"-test.v", "-test.parallel", "1", "-test.run", s.test, "-test.timeout", (budget + late).String()}, s.args(set.scale, budget)...)
	fmt.Fprintln(log, "#", binary, strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.pkg, log, log
	cmd.Env = append(os.Environ(), tally.Variable+"="+reports)
	// The test and the nodes and servers that it starts go together.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	err = s.watch(ended, reports, began, budget, show)
	took := time.Since(began)
	rows := rowsOf(s, reports, took, err)
	if err == nil {
		if skipped(log.Name()) {
			for i := range rows {
				rows[i].result = "skipped"
			}
		}
	} else if ctx.Err() == nil {
		err = fmt.Errorf("%w; its end:\n%s", err, lastLines(log.Name(), 40))
	}
	show.done(rows)
	return rows, err
}

// build compiles the package's tests, once for all suites.
func (s suite) build(ctx context.Context, dir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(s.pkg, "./"), "/", "-")+".test"))
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", path, s.pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", s.pkg, err, out)
	}
	return path, nil
}

// watch shows how far the test is until it has ended.
func (s suite) watch(ended <-chan error, reports string, began time.Time, budget time.Duration, show *screen) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
			r := tally.Report{Suite: s.name}
			if all := read(reports); len(all) > 0 {
				r = all[len(all)-1]
			}
			show.progress(r, time.Since(began), budget)
		}
	}
}

// read returns the reports that there are.
func read(path string) []tally.Report {
	f, err := os.Open(path)
	if err != nil {
		return nil // the test has none yet, or writes none
	}
	defer f.Close()
	all, err := tally.Read(f)
	if err != nil {
		return nil // the table says how the test ended
	}
	return all
}

func rowsOf(s suite, reports string, took time.Duration, err error) []row {
	result := "ok"
	if err != nil {
		result = "FAILED"
	}
	all := read(reports)
	if len(all) == 0 {
		all = []tally.Report{{Suite: s.name, Round: 1, Rounds: 1}}
	}
	var rows []row
	for _, r := range all {
		one := row{Report: r, took: took, result: result}
		if result == "ok" && r.Round < r.Rounds {
			one.result = "ok, out of time"
		}
		rows = append(rows, one)
	}
	return rows
}

// skipped reports whether the test did nothing, because a server is not built.
func skipped(log string) bool {
	f, err := os.Open(log)
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.Contains(lines.Text(), "--- SKIP") {
			return true
		}
	}
	return false
}

func lastLines(path string, n int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return errors.Join(errors.New("no log"), err).Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n") + "\n(all of it is in " + path + ")"
}
