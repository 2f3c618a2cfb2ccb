package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCommand prints what this binary is.
type versionCommand struct{}

func (versionCommand) run(_ context.Context, sh shell) error {
	if len(sh.args) > 0 {
		return &usageError{message: fmt.Sprintf("unexpected argument %q after easel version", sh.args[0])}
	}
	_, err := fmt.Fprintf(sh.stdout, "easel %s %s/%s %s\n", buildVersion(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	return err
}

// buildVersion returns the version that the go command stamped: a tag, a
// pseudo-version, or "devel" for "go run" and tests.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
