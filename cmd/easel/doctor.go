package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/client"
	"github.com/easelhq/easel/journal"
)

// doctorCommand looks at everything that a node needs and says what is wrong. It
// changes nothing but a probe that it removes again, and may run beside a node.
type doctorCommand struct {
	sh  shell
	bad int
}

// Facts that the checks are made of.
const (
	wantDescriptors = 4096    // one image being drawn on costs two
	wantSpace       = 1 << 30 // bytes free in the home
	clockSlack      = time.Minute
)

func (d *doctorCommand) run(ctx context.Context, sh shell) error {
	d.sh = sh
	c, err := loader{command: "doctor"}.load(sh)
	if err != nil {
		return err
	}
	if err := c.check(sh.lookup); err != nil {
		return err
	}
	d.say("config", nil, "every key is known and every value is good")
	d.data(c)
	place, err := parseHome(c, sh.lookup)
	if err != nil {
		return err
	}
	if place.bucket != nil {
		d.bucket(ctx, place, c.Cluster.Bind != "")
	} else {
		d.home(ctx, place.dir)
		d.clock(place.dir)
	}
	d.port(ctx, c)
	d.member(ctx, c)
	d.descriptors()
	if d.bad > 0 {
		return fmt.Errorf("%d of these checks failed", d.bad)
	}
	return nil
}

// say prints one result: what was found, or what is wrong.
func (d *doctorCommand) say(what string, err error, format string, args ...any) {
	state, found := "ok  ", fmt.Sprintf(format, args...)
	if err != nil {
		d.bad++
		state, found = "BAD ", err.Error()
	}
	fmt.Fprintf(d.sh.stdout, "%s  %-8s %s\n", state, what, found)
}

// data checks the working folder: whether it can be written, and who holds it.
func (d *doctorCommand) data(c Config) {
	if err := os.MkdirAll(c.Store.Data, 0o700); err != nil {
		d.say("data", badKey("data", "%v", err), "")
		return
	}
	held, err := journal.LockDir(c.Store.Data)
	switch {
	case errors.Is(err, journal.ErrLocked):
		d.say("data", nil, "%s is in use: %v", c.Store.Data, err)
	case err != nil:
		d.say("data", badKey("data", "%v", err), "")
	default:
		d.say("data", held.Close(), "%s can be written and nobody holds it", c.Store.Data)
	}
	if info, err := os.Stat(filepath.Join(c.Store.Data, secretFile)); err == nil && info.Mode().Perm()&0o077 != 0 {
		d.say("secret", fmt.Errorf("%s can be read by others (mode %v): chmod 600 it", info.Name(), info.Mode().Perm()), "")
	}
}

// home writes, reads and deletes one object, and looks at the space left.
func (d *doctorCommand) home(ctx context.Context, path string) {
	if err := d.probe(ctx, path); err != nil {
		d.say("store", badKey("store", "%v", err), "")
		return
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		d.say("store", badKey("store", "%v", err), "")
		return
	}
	free := int64(s.Bavail) * int64(s.Bsize) //nolint:unconvert // the types differ between systems
	if free < wantSpace {
		d.say("store", badKey("store", "only %d MiB are free in %s", free>>20, path), "")
		return
	}
	d.say("store", nil, "%s can be written, read and synced; %d GiB free", path, free>>30)
}

func (d *doctorCommand) probe(ctx context.Context, path string) error {
	dir := filepath.Join(path, "doctor")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays is a few bytes
	store, err := blob.OpenDir(dir)
	if err != nil {
		return err
	}
	defer store.Close()
	key := "probe-" + hex.EncodeToString(randomBytes(8))
	if _, err := store.PutIfAbsent(ctx, key, []byte(rand.Text())); err != nil {
		return fmt.Errorf("write a probe: %w", err)
	}
	if _, err := store.PutIfAbsent(ctx, key, []byte("second")); !errors.Is(err, blob.ErrExists) {
		return fmt.Errorf("a second writer was not refused: %w", err)
	}
	if _, err := store.Stat(ctx, key); err != nil {
		return fmt.Errorf("read the probe: %w", err)
	}
	return store.Delete(ctx, key)
}

// clock looks for signs that the time is wrong. Wrong time loses nothing, but it
// makes tokens invalid and times in histories jump.
func (d *doctorCommand) clock(root string) {
	now := time.Now()
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if built, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil && now.Before(built.Add(-clockSlack)) {
				d.say("clock", fmt.Errorf("it is %s here, before this program was made (%s)", now.UTC().Format(time.RFC3339), s.Value), "")
				return
			}
		}
	}
	newest, err := newestFile(root)
	if err != nil {
		d.say("clock", err, "")
		return
	}
	if newest.After(now.Add(clockSlack)) {
		d.say("clock", fmt.Errorf("it is %s here, but the store holds something from %s", now.UTC().Format(time.RFC3339), newest.UTC().Format(time.RFC3339)), "")
		return
	}
	d.say("clock", nil, "%s, not before anything in the store", now.UTC().Format(time.RFC3339))
}

// newestFile looks at the first ten thousand files of the store.
func newestFile(root string) (time.Time, error) {
	var newest time.Time
	left := 10000
	err := filepath.WalkDir(root, func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // a node that runs beside us deletes files
			return nil
		}
		if err != nil {
			return err
		}
		if left--; left == 0 {
			return fs.SkipAll
		}
		if info, err := e.Info(); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
		return nil
	})
	return newest, err
}

// port checks that the address is free, or that a node answers there.
func (d *doctorCommand) port(ctx context.Context, c Config) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.HTTP.Addr)
	if err == nil {
		d.say("port", l.Close(), "%s is free", c.HTTP.Addr)
		return
	}
	if node, healthErr := health(ctx, c); healthErr == nil {
		d.say("port", nil, "%s is served by the node %s", c.HTTP.Addr, node)
		return
	}
	d.say("port", badKey("addr", "%v", err), "")
}

// health asks who serves the configured address.
func health(ctx context.Context, c Config) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	scheme := "http://"
	if c.HTTP.TLSCert != "" {
		scheme = "https://"
	}
	node, err := client.New(client.Config{URL: scheme + c.HTTP.Addr, Patience: once})
	if err != nil {
		return "", err
	}
	said, err := node.Health(ctx)
	if err == nil && said.Status != "ok" {
		err = fmt.Errorf("status %q", said.Status)
	}
	return said.Node, err
}

func (d *doctorCommand) descriptors() {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		d.say("files", err, "")
		return
	}
	if r.Max < wantDescriptors {
		d.say("files", fmt.Errorf("the process may open %d files, at least %d are wanted: raise ulimit -n", r.Max, wantDescriptors), "")
		return
	}
	d.say("files", nil, "the process may open %d files", r.Max)
}
