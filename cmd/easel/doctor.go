package main

import "context"

type doctorCommand struct{}

func (d *doctorCommand) run(ctx context.Context, sh shell) error { return nil }
