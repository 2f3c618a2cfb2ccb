//go:build !linux

package journal

import "os"

// syncData makes a file's bytes durable. On macOS os.File.Sync asks the disk for
// it too, which fsync alone does not.
func syncData(f *os.File) error { return f.Sync() }
