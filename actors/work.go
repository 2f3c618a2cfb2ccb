package actors

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// asideSuffix marks the folder of working copies that a process before this one
// left behind.
const asideSuffix = ".old"

// setAside makes dir an empty folder. What was in it may be a million files of a
// process that was killed: it is moved out of the way, for clearAside.
func setAside(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		if err := os.MkdirAll(dir+asideSuffix, 0o700); err != nil {
			return fmt.Errorf("empty working folder: %w", err)
		}
		place, err := os.MkdirTemp(dir+asideSuffix, "")
		if err == nil {
			err = os.Rename(dir, filepath.Join(place, "work"))
		}
		if err != nil {
			return fmt.Errorf("empty working folder: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make working folder: %w", err)
	}
	return nil
}

// clearAside deletes what setAside moved away, until the system stops: then the
// next start goes on.
func (s *System) clearAside(dir string) {
	if err := removeTree(s.ctx, dir+asideSuffix); err != nil && s.ctx.Err() == nil {
		s.log.Warn("old working copies stay", "err", err)
	}
}

// removeTree is os.RemoveAll that can be ended.
func removeTree(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(dir, e.Name())
		if e.IsDir() {
			err = removeTree(ctx, path)
		} else {
			err = os.Remove(path)
		}
		if err != nil {
			return err
		}
	}
	return os.Remove(dir)
}

// copyBytes is what the working copy takes on disk. That of an open one grows.
func (a *durable) copyBytes() int64 {
	if a.memory.Load() == 0 {
		return a.disk.Load()
	}
	return diskBytes(a.path())
}

// shed deletes the working copy to make room on the disk. The actor stays owned,
// so that whatever is attached to it notices nothing; the next message restores
// it.
func (a *durable) shed() {
	if !a.restored || !a.idle() {
		return // in use: it is not the least recently used any more
	}
	a.closeFile()
	a.removeCopy()
	a.sys.metrics.shed.WithLabelValues(a.kind.Name).Inc()
}

// diskBytes is the size of a working copy and its WAL.
func diskBytes(path string) int64 {
	sum := int64(0)
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(path + suffix); err == nil {
			sum += info.Size()
		}
	}
	return sum
}

// removeFile deletes a working copy with all that SQLite keeps beside it.
func removeFile(path string) {
	for _, suffix := range []string{"", "-wal", "-journal", "-shm"} {
		_ = os.Remove(path + suffix) // a leftover is overwritten by the next restore
	}
}
