package blob_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/blob/blobtest"
)

func TestFaultyWithoutFaultsFulfilsTheContract(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store {
		return blob.NewFaulty(openDir(t, t.TempDir()), func(blob.Call) blob.Fault { return blob.Fault{} })
	})
}

func TestFaultyWritesGoWrongAsAsked(t *testing.T) {
	writes := []struct {
		name string
		do   func(context.Context, blob.Store) error
	}{
		{"Put", func(ctx context.Context, s blob.Store) error {
			_, err := s.Put(ctx, "k", strings.NewReader("body"))
			return err
		}},
		{"PutIfAbsent", func(ctx context.Context, s blob.Store) error {
			_, err := s.PutIfAbsent(ctx, "k", []byte("body"))
			return err
		}},
	}
	for _, tt := range []struct {
		name  string
		fault blob.Fault
		want  string // what is stored; "-": nothing
	}{
		{"fail", blob.Fault{Fail: true}, "-"},
		{"lost", blob.Fault{Lost: true}, "body"},
		{"torn", blob.Fault{Torn: true}, "bo"},
	} {
		for _, w := range writes {
			t.Run(tt.name+" "+w.name, func(t *testing.T) {
				dir := openDir(t, t.TempDir())
				s := blob.NewFaulty(dir, func(c blob.Call) blob.Fault {
					if c.N == 0 {
						return tt.fault
					}
					return blob.Fault{}
				})
				if err := w.do(t.Context(), s); !errors.Is(err, blob.ErrUnavailable) {
					t.Errorf("got %v", err)
				}
				got := "-"
				if r, _, err := dir.Get(t.Context(), "k", blob.All); err == nil {
					b, _ := io.ReadAll(r)
					_ = r.Close()
					got = string(b)
				}
				if got != tt.want {
					t.Errorf("stored %q, want %q", got, tt.want)
				}
				// The second call goes well, but for what is there already.
				if err := w.do(t.Context(), s); err != nil && (tt.want == "-" || !errors.Is(err, blob.ErrExists)) {
					t.Errorf("again: %v", err)
				}
			})
		}
	}
}

func TestFaultyReadEndsEarly(t *testing.T) {
	dir := openDir(t, t.TempDir())
	if _, err := dir.PutIfAbsent(t.Context(), "k", []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	s := blob.NewFaulty(dir, func(blob.Call) blob.Fault { return blob.Fault{Torn: true} })
	r, _, err := s.Get(t.Context(), "k", blob.Range{Offset: 2, Length: -1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if string(b) != "2345" || !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("read %q, %v", b, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestFaultyDelayEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := openDir(t, t.TempDir())
		s := blob.NewFaulty(dir, func(blob.Call) blob.Fault { return blob.Fault{Delay: time.Hour} })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if _, err := s.Stat(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, blob.ErrNotFound) || time.Since(start) != time.Minute+time.Hour {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestRandomFaultsFollowFromTheSeed(t *testing.T) {
	rates := blob.Rates{Fail: 0.1, Lost: 0.2, Torn: 0.3, MaxDelay: time.Second}
	a, b, other := blob.Random(7, rates), blob.Random(7, rates), blob.Random(8, rates)
	var fail, lost, torn, differ int
	const n = 2000
	for i := range n {
		c := blob.Call{Op: blob.OpPut, Key: fmt.Sprint(i % 50), N: i / 50}
		f := a(c)
		if f != b(c) {
			t.Fatalf("%+v: two answers for one seed", c)
		}
		if f != other(c) {
			differ++
		}
		if f.Fail {
			fail++
		}
		if f.Lost {
			lost++
		}
		if f.Torn {
			torn++
		}
	}
	for _, tt := range []struct{ got, want int }{{fail, n / 10}, {lost, n / 5}, {torn, n * 3 / 10}, {differ, n}} {
		if tt.got < tt.want*7/10 || tt.got > tt.want*13/10 {
			t.Errorf("fail %d, lost %d, torn %d, differ %d of %d", fail, lost, torn, differ, n)
		}
	}
}
