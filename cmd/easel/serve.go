package main

import "context"

// serveCommand starts a node and runs it until the context ends.
type serveCommand struct{}

func (serveCommand) run(ctx context.Context, sh shell) error {
	c, err := loader{command: "serve"}.load(sh)
	if err != nil {
		return err
	}
	if err := c.check(sh.lookup); err != nil {
		return err
	}
	return NewProgram(c, sh.lookup, sh.stdout, sh.stderr).Run(ctx)
}
