package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
)

// versionCommand prints what this binary is.
type versionCommand struct{}

func (versionCommand) run(_ context.Context, sh shell) error {
	switch {
	case len(sh.args) == 0:
	case slices.Contains([]string{"-h", "-help", "--help"}, sh.args[0]):
		_, err := io.WriteString(sh.stdout, "usage: easel version\n")
		return err
	default:
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
