package main

import (
	"context"
	"errors"
	"io"
)

// Program is one node. Make it with NewProgram.
type Program struct {
	config Config
	stdout io.Writer
	stderr io.Writer
}

// NewProgram returns a node of a checked configuration.
func NewProgram(c Config, stdout, stderr io.Writer) *Program {
	return &Program{config: c, stdout: stdout, stderr: stderr}
}

// Run runs the node.
func (p *Program) Run(ctx context.Context) error { return errors.New("unwritten") }

const choresOff = "off"
