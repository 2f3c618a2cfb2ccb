// Package fencing decides how processes that know nothing of each other share
// the log of one actor in a store with conditional writes: who owns it, what is
// durable, and what a process may still believe. ../DESIGN-bucket.md is the
// protocol; this is all of it that is not input or output.
//
// Everything here is a state machine: an event changes its state, and what it
// wants done comes back as a value. There are no goroutines, locks, clocks or
// draws. So the code that package journal runs is the code that
// fencingtest drives on one thread, step by step, with faults in between.
//
//   - Put is one conditional write over a link that loses requests and answers.
//   - Claim makes its caller the owner: head, seals, replay, another look.
//   - Line is what an owner appends: slots, their window, the order of answers.
//   - Looks are the validations of reads, one look at the head for all who wait.
//   - Hold is the head as its owner knows it: what covers what, and how it closes.
//   - Tidy finds what crashes left behind.
//
// Put serves below the others: their Write requests are one Put each. Erasing and
// copying an actor are package journal's own.
package fencing
