// Package e2e holds tests that drive the real binary as a process of the
// operating system, over HTTP and WebSocket, and see only what a client and an
// operator see. TestCrash kills it again and again; see its flags.
package e2e
