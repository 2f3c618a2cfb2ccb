package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Exit codes of the process.
const (
	exitOK       = 0
	exitFailed   = 1 // something broke while running
	exitBadUsage = 2 // the configuration or the command line is wrong
)

// shell is what a command may use of the process around it.
type shell struct {
	args   []string // without the program's name
	lookup func(name string) (string, bool)
	stdout io.Writer
	stderr io.Writer
}

// usageError is a configuration that cannot be served. It is one line that
// starts with the key, as the flag is spelled.
type usageError struct {
	key     string // "" if no key is to blame, such as an unknown command
	message string
}

// Error returns "--key: message".
func (e *usageError) Error() string {
	if e.key == "" {
		return e.message
	}
	return "--" + e.key + ": " + e.message
}

// badKey makes a usageError about one key.
func badKey(key, format string, args ...any) *usageError {
	return &usageError{key: key, message: fmt.Sprintf(format, args...)}
}

// run does what the command line says and returns the exit code. Every failure
// is one line on stderr.
func run(ctx context.Context, sh shell) int {
	err := dispatch(ctx, sh)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	fmt.Fprintln(sh.stderr, "easel: "+line)
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitBadUsage
	}
	return exitFailed
}

const overview = `easel: live image annotation on durable actors

usage: easel COMMAND [flags]

  serve     start a node
  token     print a token signed with the node's secret
  version   print the version
  doctor    check configuration, store, clock and ports

"easel COMMAND --help" lists a command's flags.
`

func dispatch(ctx context.Context, sh shell) error {
	if len(sh.args) == 0 {
		return &usageError{message: "no command: one of serve, token, version, doctor (see easel --help)"}
	}
	name := sh.args[0]
	sh.args = sh.args[1:]
	switch name {
	case "serve":
		return (&serveCommand{}).run(ctx, sh)
	case "token":
		return (&tokenCommand{}).run(ctx, sh)
	case "version":
		return (&versionCommand{}).run(ctx, sh)
	case "doctor":
		return (&doctorCommand{}).run(ctx, sh)
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(sh.stdout, overview)
		return err
	default:
		return &usageError{message: fmt.Sprintf("unknown command %q: one of serve, token, version, doctor", name)}
	}
}
