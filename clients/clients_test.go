// Package clients_test runs the tests of the clients in other languages from "go
// test", against a binary that it builds.
package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// node returns the path of Node, or skips where it or what is installed in
// typescript/node_modules is missing.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	if _, err := os.Stat("typescript/node_modules/vitest"); err != nil {
		t.Skip("vitest is not installed: run npm ci in clients/typescript")
	}
	return path
}

// easel builds the binary.
func easel(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "easel")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", bin, "../cmd/easel")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build easel: %v\n%s", err, out)
	}
	return bin
}

// The unit tests, every operation of the HTTP interface and the live socket
// against a real node, and the examples in a program that has nothing but the
// packed package.
func TestTypeScriptClient(t *testing.T) {
	path := node(t)
	if testing.Short() {
		t.Skip("starts nodes")
	}
	bin := easel(t)
	for _, args := range [][]string{{"scripts/generate.mjs", "--check"}, {"node_modules/vitest/vitest.mjs", "run"}} {
		run := exec.CommandContext(t.Context(), path, args...)
		run.Dir = "typescript"
		// Node before 22 has a WebSocket, but not for everybody.
		run.Env = append(os.Environ(), "EASEL_BIN="+bin, "NODE_OPTIONS=--experimental-websocket")
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}
