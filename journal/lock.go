package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrLocked is wrapped by LockDir's error when another process has the folder.
var ErrLocked = errors.New("folder is in use")

// LockDir takes the exclusive lock of a folder, which must exist, and holds it
// until the returned value is closed or the process ends, however it ends. If
// another process has it, the error wraps ErrLocked and says which. It does not
// wait.
func LockDir(dir string) (io.Closer, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
		return nil, fmt.Errorf("%s: %w by %s", dir, ErrLocked, holderOf(f))
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	// What is written only helps a human; the lock is the kernel's.
	if err := f.Truncate(0); err == nil {
		fmt.Fprintf(f, "pid %d on %s\n", os.Getpid(), host)
	}
	return f, nil
}

// holderOf returns what the process that has the lock wrote into its file.
func holderOf(f *os.File) string {
	holder := make([]byte, 256)
	n, _ := f.ReadAt(holder, 0)
	if who := strings.TrimSpace(string(holder[:n])); who != "" {
		return who
	}
	return "another process"
}
