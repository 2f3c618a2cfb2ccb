// Torture runs the long suites one after the other within a given time, shows how
// far each one is, and ends with a table of what was done, what was lost (nothing,
// or it fails) and what went wrong on purpose. Run it by "make torture", or, for
// those of several nodes, "make torture-cluster".
//
// It starts tests and knows only what they report (package tally): a new suite is
// a line in suites.go and a test that writes reports.
package main
