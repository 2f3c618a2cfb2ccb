package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
)

// house is what a node has on disk: its working folder and its durable home, both
// locked, and what is kept in them. Everything that goes wrong while it is opened
// is a *usageError: it comes from where the configuration points.
type house struct {
	node    string
	secrets [][]byte    // HS256, the first signs
	work    string      // folder of the actors' working copies
	home    durableHome // the durable home
	locks   []io.Closer
}

// openHouse makes the folders that are missing and takes their locks. It does not
// call a home in a bucket.
func openHouse(c Config, lookup func(string) (string, bool)) (*house, error) {
	place, err := parseHome(c, lookup)
	if err != nil {
		return nil, err
	}
	h := &house{work: filepath.Join(c.Store.Data, "work"), home: place}
	if err := h.open(c); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *house) open(c Config) error {
	if err := h.lock("data", c.Store.Data); err != nil {
		return err
	}
	if h.home.bucket == nil {
		if sameFolder(c.Store.Data, h.home.dir) {
			return badKey("store", "must be another folder than --data")
		}
		if err := h.lock("store", h.home.dir); err != nil {
			return err
		}
	}
	list, _, err := loadSecrets(c)
	if err != nil {
		return err
	}
	h.secrets = secretBytes(list)
	h.node, err = loadNode(c)
	return err
}

// lock makes a folder if need be and holds it until Close.
func (h *house) lock(key, path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return badKey(key, "%v", err)
	}
	l, err := journal.LockDir(path)
	if err != nil {
		return badKey(key, "%v", err)
	}
	h.locks = append(h.locks, l)
	return nil
}

// Close lets go of the folders.
func (h *house) Close() error {
	var errs []error
	for _, l := range h.locks {
		errs = append(errs, l.Close())
	}
	h.locks = nil
	return errors.Join(errs...)
}

func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// rootKeyName is the object that rootKey keeps.
const rootKeyName = "keys/root"

// rootKey returns the key that tickets and presigned URLs are signed with. It is
// made once and kept in the home, so that they outlive a node and a rotation of
// the token secrets.
func rootKey(ctx context.Context, s blob.Store) ([]byte, error) {
	_, err := s.PutIfAbsent(ctx, rootKeyName, randomBytes(32))
	if err != nil && !errors.Is(err, blob.ErrExists) {
		return nil, badKey("store", "%v", err)
	}
	r, _, err := s.Get(ctx, rootKeyName, blob.All)
	if err != nil {
		return nil, badKey("store", "%v", err)
	}
	defer r.Close()
	key, err := io.ReadAll(r)
	if err != nil {
		return nil, badKey("store", "%v", err)
	}
	if len(key) != 32 {
		return nil, badKey("store", "%s has %d bytes, not 32", rootKeyName, len(key))
	}
	return key, nil
}
