package blob

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
)

// folders makes and removes the folders of a Dir, and knows which of them
// survive a crash: those whose parents were synced since they were made.
type folders struct {
	root *os.Root

	// mu guards known, and makes each mkdir and rmdir one step with its note in
	// known; it is not held over a sync.
	mu    sync.Mutex
	known map[string]*folder // by path; what is missing has to be synced again
}

type folder struct {
	path    string
	settled bool // its name is durable in its parent
	syncs   rounds
}

// rounds lets those who want the same work done at the same time share it.
type rounds struct {
	mu   sync.Mutex // guards what follows
	last *round     // that has begun
	next *round     // that waits for the last one; nil: none does
}

type round struct {
	done chan struct{} // closed when it is over
	err  error
}

// do returns once a round of work is over that began after the call.
func (r *rounds) do(work func() error) error {
	r.mu.Lock()
	if shared := r.next; shared != nil {
		r.mu.Unlock()
		<-shared.done
		return shared.err
	}
	own := &round{done: make(chan struct{}), err: errors.New("the round did not end")}
	if last := r.last; last != nil {
		r.next = own
		r.mu.Unlock()
		<-last.done
		r.mu.Lock()
		r.next = nil // what is changed from now on may be missed
	}
	r.last = own
	r.mu.Unlock()
	defer close(own.done)
	own.err = work()
	return own.err
}

// maxKnown bounds the memory of known: about 2 MB.
const maxKnown = 10000

func (s *folders) init(root *os.Root) {
	s.root = root
	s.known = make(map[string]*folder)
}

// make makes a folder and those above it. It returns those that are not known to
// be durable, the outermost first, and the folder itself as the last.
func (s *folders) make(path string) ([]*folder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var chain []*folder
	for i := 0; i < len(path) && path != "."; {
		end := strings.IndexByte(path[i:], '/')
		if end < 0 {
			end = len(path) - i
		}
		f, err := s.oneLocked(path[:i+end])
		if err != nil {
			return nil, err
		}
		if !f.settled {
			chain = append(chain, f)
		}
		i += end + 1
	}
	return append(chain, &folder{path: path, settled: true}), nil
}

func (s *folders) oneLocked(path string) (*folder, error) {
	if f := s.known[path]; f != nil {
		return f, nil
	}
	if err := s.root.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if len(s.known) >= maxKnown {
		clear(s.known)
	}
	f := &folder{path: path}
	s.known[path] = f
	return f, nil
}

// settle makes durable what make returned and what was put into the last of it.
func (s *folders) settle(chain []*folder) error {
	last := chain[len(chain)-1]
	if err := s.sync(last.path); err != nil {
		return err
	}
	for _, f := range chain[:len(chain)-1] {
		if err := s.sync(parent(f.path)); err != nil {
			return err
		}
		s.mu.Lock()
		f.settled = true // of this making: after a removal known holds another
		s.mu.Unlock()
	}
	return nil
}

// forget makes the next make look for a folder, and those above it, again.
func (s *folders) forget(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; path != "."; path = parent(path) {
		delete(s.known, path)
	}
}

// prune removes a folder, and those above it, as long as they are empty. It
// returns the innermost that stays.
func (s *folders) prune(path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for path != "." {
		delete(s.known, path)
		if err := s.root.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			break // not empty
		}
		path = parent(path)
	}
	return path
}

// sync makes what is in a folder durable. Writes to the same one share a sync.
func (s *folders) sync(path string) error {
	s.mu.Lock()
	f := s.known[path]
	s.mu.Unlock()
	if f == nil {
		return s.syncNow(path)
	}
	return f.syncs.do(func() error { return s.syncNow(path) })
}

func (s *folders) syncNow(path string) error {
	f, err := s.root.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed since: whoever did so syncs what is above
	}
	if err != nil {
		return err
	}
	err = f.Sync()
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
