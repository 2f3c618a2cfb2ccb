// Package clients_test runs the tests of the clients in other languages from "go
// test".
package clients_test

import (
	"os"
	"os/exec"
	"testing"
)

// tool returns the path of Node, or skips where it or what is installed in
// typescript/node_modules is missing.
func tool(t *testing.T, module string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	if _, err := os.Stat("typescript/node_modules/" + module); err != nil {
		t.Skipf("%s is not installed: run npm ci in clients/typescript", module)
	}
	return node
}

func TestTypeScriptClientAgainstAServerInMemory(t *testing.T) {
	node := tool(t, "vitest")
	run := exec.CommandContext(t.Context(), node, "node_modules/vitest/vitest.mjs", "run")
	run.Dir = "typescript"
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
