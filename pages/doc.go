// Package pages is the vocabulary in which an actor's changes travel: a Set
// holds the database pages that one or more commits left behind.
//
// It is pure: no goroutine, no lock, no file of its own. A Set may be shared
// between goroutines as long as nobody changes it. The package knows neither
// SQLite's API nor where sets are kept; sqlite makes them, journal keeps them.
package pages
