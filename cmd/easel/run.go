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

// command is one verb of the command line.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, sh shell) error
}

// commands returns every command, in the order of the help.
func commands() []command {
	return []command{
		{"serve", "start a node", (&serveCommand{}).run},
		{"token", "print a token signed with the node's secret", (&tokenCommand{}).run},
		{"members", "list the nodes of a cluster", (&membersCommand{}).run},
		{"export", "write a whole tenant as plain files", (&exportCommand{}).run},
		{"import", "bring an exported tenant into a store", (&importCommand{}).run},
		{"verify", "check every object of a store", (&verifyCommand{}).run},
		{"version", "print the version", (&versionCommand{}).run},
		{"doctor", "check configuration, store, clock and ports", (&doctorCommand{}).run},
	}
}

func overview(all []command) string {
	var b strings.Builder
	b.WriteString("easel: live image annotation on durable actors\n\nusage: easel COMMAND [flags]\n\n")
	for _, c := range all {
		fmt.Fprintf(&b, "  %-9s %s\n", c.name, c.summary)
	}
	b.WriteString("\n\"easel COMMAND --help\" lists a command's flags.\n")
	return b.String()
}

func names(all []command) string {
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = c.name
	}
	return strings.Join(out, ", ")
}

func dispatch(ctx context.Context, sh shell) error {
	all := commands()
	if len(sh.args) == 0 {
		return &usageError{message: "no command: one of " + names(all) + " (see easel --help)"}
	}
	name := sh.args[0]
	sh.args = sh.args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(sh.stdout, overview(all))
		return err
	case "-version", "--version":
		name = "version"
	}
	for _, c := range all {
		if c.name == name {
			return c.run(ctx, sh)
		}
	}
	return &usageError{message: fmt.Sprintf("unknown command %q: one of %s", name, names(all))}
}
