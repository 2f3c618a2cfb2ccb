package blob

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"sync"
	"time"
)

// Op names a method of Store.
type Op string

// The methods of Store.
const (
	OpPut         Op = "Put"
	OpPutIfAbsent Op = "PutIfAbsent"
	OpPutIfMatch  Op = "PutIfMatch"
	OpGet         Op = "Get"
	OpStat        Op = "Stat"
	OpList        Op = "List"
	OpDelete      Op = "Delete"
)

// Call is one call of a Faulty store.
type Call struct {
	Op  Op
	Key string // the prefix of a List
	N   int    // which call of this Op with this Key it is, from 0
}

// Fault says what shall go wrong with a call. The zero Fault is none.
type Fault struct {
	// Delay passes before the call, or until its context ends.
	Delay time.Duration
	// Fail: the call has no effect and returns ErrUnavailable. A Get may have
	// been half read by then, see Torn.
	Fail bool
	// Lost: the call has its effect, but its answer is ErrUnavailable.
	Lost bool
	// Torn: a write stores only the first half of the body, and a Get reads only
	// that much; then comes ErrUnavailable. Other calls fail.
	Torn bool
}

// Faulty is a Store whose calls go wrong on purpose, for tests.
type Faulty struct {
	Store
	decide func(Call) Fault

	mu    sync.Mutex // guards calls
	calls map[Call]int
}

var _ Store = (*Faulty)(nil)

// NewFaulty wraps s. decide is called once for each call, possibly by many
// goroutines at once.
func NewFaulty(s Store, decide func(Call) Fault) *Faulty {
	return &Faulty{Store: s, decide: decide, calls: make(map[Call]int)}
}

// Rates are probabilities, 0 to 1; at most one of Fail, Lost and Torn happens
// to a call.
type Rates struct {
	Fail, Lost, Torn float64
	MaxDelay         time.Duration // delays are spread evenly up to it
}

// Random returns a function for NewFaulty. What happens to a call follows from
// seed and the Call alone, so that it does not depend on how goroutines interleave.
func Random(seed uint64, rates Rates) func(Call) Fault {
	return func(c Call) Fault {
		h := fnv.New64a()
		// A hash.Hash never returns an error.
		_, _ = fmt.Fprintf(h, "%s\x00%s\x00", c.Op, c.Key)
		_ = binary.Write(h, binary.BigEndian, uint64(c.N))
		r := rand.New(rand.NewPCG(seed, h.Sum64()))
		f := Fault{}
		if rates.MaxDelay > 0 {
			f.Delay = time.Duration(r.Int64N(int64(rates.MaxDelay)))
		}
		switch p := r.Float64(); {
		case p < rates.Fail:
			f.Fail = true
		case p < rates.Fail+rates.Lost:
			f.Lost = true
		case p < rates.Fail+rates.Lost+rates.Torn:
			f.Torn = true
		}
		return f
	}
}

// begin decides and delays.
func (s *Faulty) begin(ctx context.Context, op Op, key string) (Fault, error) {
	call := Call{Op: op, Key: key}
	s.mu.Lock()
	n := s.calls[call]
	s.calls[call]++
	s.mu.Unlock()
	call.N = n
	f := s.decide(call)
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return f, ctx.Err()
		}
	}
	if f.Fail {
		return f, planted(call)
	}
	return f, nil
}

func planted(c Call) error { return fmt.Errorf("%w: planted in %s of %s", ErrUnavailable, c.Op, c.Key) }

// end replaces the answer of a call that came to its end.
func (f Fault) end(op Op, key string, err error) error {
	if err == nil && (f.Lost || f.Torn) {
		return planted(Call{Op: op, Key: key})
	}
	return err
}

// Put is the store's, or goes wrong.
func (s *Faulty) Put(ctx context.Context, key string, r io.Reader) (Info, error) {
	f, err := s.begin(ctx, OpPut, key)
	if err != nil {
		return Info{}, err
	}
	if f.Torn {
		whole, e := io.ReadAll(r)
		if e != nil {
			return Info{}, e
		}
		r = bytes.NewReader(half(whole))
	}
	info, err := s.Store.Put(ctx, key, r)
	if err = f.end(OpPut, key, err); err != nil {
		return Info{}, err
	}
	return info, nil
}

// PutIfAbsent is the store's, or goes wrong.
func (s *Faulty) PutIfAbsent(ctx context.Context, key string, b []byte) (Version, error) {
	return s.putIf(ctx, OpPutIfAbsent, key, b, func(b []byte) (Version, error) {
		return s.Store.PutIfAbsent(ctx, key, b)
	})
}

// PutIfMatch is the store's, or goes wrong.
func (s *Faulty) PutIfMatch(ctx context.Context, key string, b []byte, v Version) (Version, error) {
	return s.putIf(ctx, OpPutIfMatch, key, b, func(b []byte) (Version, error) {
		return s.Store.PutIfMatch(ctx, key, b, v)
	})
}

func (s *Faulty) putIf(ctx context.Context, op Op, key string, b []byte, do func([]byte) (Version, error)) (Version, error) {
	f, err := s.begin(ctx, op, key)
	if err != nil {
		return "", err
	}
	if f.Torn {
		b = half(b)
	}
	v, err := do(b)
	if err = f.end(op, key, err); err != nil {
		return "", err
	}
	return v, nil
}

func half(b []byte) []byte { return b[:len(b)/2] }

// Get is the store's, or goes wrong.
func (s *Faulty) Get(ctx context.Context, key string, r Range) (io.ReadCloser, Info, error) {
	f, err := s.begin(ctx, OpGet, key)
	if err != nil {
		return nil, Info{}, err
	}
	body, info, err := s.Store.Get(ctx, key, r)
	if err != nil {
		return nil, Info{}, err
	}
	if f.Lost {
		_ = body.Close()
		return nil, Info{}, planted(Call{Op: OpGet, Key: key})
	}
	if f.Torn {
		_, length, e := r.span(info.Size)
		if e != nil {
			_ = body.Close()
			return nil, Info{}, e
		}
		body = &torn{ReadCloser: body, left: length / 2, err: planted(Call{Op: OpGet, Key: key})}
	}
	return body, info, nil
}

// torn is a body that ends early with an error.
type torn struct {
	io.ReadCloser
	left int64
	err  error
}

func (t *torn) Read(p []byte) (int, error) {
	if t.left <= 0 {
		return 0, t.err
	}
	n, err := t.ReadCloser.Read(p[:min(int64(len(p)), t.left)])
	t.left -= int64(n)
	return n, err
}

// Stat is the store's, or goes wrong.
func (s *Faulty) Stat(ctx context.Context, key string) (Info, error) {
	f, err := s.begin(ctx, OpStat, key)
	if err != nil {
		return Info{}, err
	}
	info, err := s.Store.Stat(ctx, key)
	if err = f.end(OpStat, key, err); err != nil {
		return Info{}, err
	}
	return info, nil
}

// List is the store's, or goes wrong.
func (s *Faulty) List(ctx context.Context, prefix, after string, max int) ([]Info, error) {
	f, err := s.begin(ctx, OpList, prefix)
	if err != nil {
		return nil, err
	}
	infos, err := s.Store.List(ctx, prefix, after, max)
	if err = f.end(OpList, prefix, err); err != nil {
		return nil, err
	}
	return infos, nil
}

// Delete is the store's, or goes wrong.
func (s *Faulty) Delete(ctx context.Context, key string) error {
	f, err := s.begin(ctx, OpDelete, key)
	if err != nil {
		return err
	}
	if f.Torn {
		return planted(Call{Op: OpDelete, Key: key})
	}
	return f.end(OpDelete, key, s.Store.Delete(ctx, key))
}
