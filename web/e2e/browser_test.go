// Package e2e_test runs the browser tests of this folder from "go test", against
// a binary that it builds.
package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

func TestTwoPeopleInTwoBrowsers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts browsers")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	if _, err := os.Stat("../node_modules/playwright-core"); err != nil {
		t.Skip("playwright-core is not installed: run npm ci in web")
	}
	chromium := chromiumPath()
	if chromium == "" {
		t.Skip("chromium is not installed")
	}
	bin := filepath.Join(t.TempDir(), "easel")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", bin, "../../cmd/easel")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build easel: %v\n%s", err, out)
	}
	suites, err := filepath.Glob("*.test.mjs")
	if err != nil || len(suites) == 0 {
		t.Fatalf("%d suites, %v", len(suites), err)
	}
	// Browsers that are killed remove nothing. The name is short because they make
	// sockets in it.
	temporary, err := os.MkdirTemp("", "easel-web")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(temporary); err != nil {
			t.Error(err)
		}
	})
	// Two suites at once also on two processors: each waits for much of its time.
	concurrency := fmt.Sprintf("--test-concurrency=%d", max(2, runtime.NumCPU()-1))
	run := exec.CommandContext(t.Context(), node, append([]string{"--test", "--test-reporter=spec", concurrency}, suites...)...)
	run.Env = append(os.Environ(), "EASEL_BIN="+bin, "CHROMIUM="+chromium, "TMPDIR="+temporary)
	out, err := run.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

// chromiumPath returns where a Chromium is, or "" if there is none.
func chromiumPath() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func TestPageWithoutABrowser(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	if _, err := os.Stat("../node_modules/vitest"); err != nil {
		t.Skip("vitest is not installed: run npm ci in web")
	}
	run := exec.CommandContext(t.Context(), node, "node_modules/vitest/vitest.mjs", "run")
	run.Dir = ".."
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
