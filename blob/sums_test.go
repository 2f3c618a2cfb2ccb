package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/easelhq/easel/blob"
)

// stretch is an object of any size whose bytes follow from where they are.
type stretch int64

func (s stretch) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && off < int64(s) {
		p[n] = byte(off>>16) ^ byte(off>>7) ^ byte(off)
		n, off = n+1, off+1
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}

func opener(o io.ReaderAt, size int64) func(context.Context, blob.Range) (io.ReadCloser, error) {
	return func(_ context.Context, r blob.Range) (io.ReadCloser, error) {
		if r.Offset > 0 && r.Offset >= size {
			return nil, blob.ErrRange
		}
		return io.NopCloser(io.NewSectionReader(o, r.Offset, min(r.Length, size-r.Offset))), nil
	}
}

func sumsOf(t *testing.T, o io.ReaderAt, size int64) *blob.Sums {
	t.Helper()
	var w blob.Summing
	if _, err := io.CopyBuffer(struct{ io.Writer }{&w}, io.NewSectionReader(o, 0, size), make([]byte, 50_001)); err != nil {
		t.Fatal(err)
	}
	s, err := blob.DecodeSums(w.Sums().Encode(), size)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSumsGiveAnyRange(t *testing.T) {
	for _, size := range []int64{0, 1, 65535, 65536, 65537, 200_000, 3 * 65536} {
		o := stretch(size)
		s := sumsOf(t, o, size)
		for _, r := range []blob.Range{
			blob.All,
			{},
			{Length: 1},
			{Length: size},
			{Length: size + 9},
			{Offset: 1, Length: 3},
			{Offset: 65535, Length: 2},
			{Offset: 65536, Length: 1},
			{Offset: 65536, Length: -1},
			{Offset: size - 1, Length: -1},
			{Offset: 70_000, Length: 70_000},
			{Offset: size, Length: 1},
			{Offset: -1, Length: 1},
		} {
			body, err := s.Open(t.Context(), r, opener(o, size))
			if past := r.Offset < 0 || r.Offset > 0 && r.Offset >= size; past {
				if !errors.Is(err, blob.ErrRange) {
					t.Errorf("%d bytes, %v: %v, want ErrRange", size, r, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%d bytes, %v: %v", size, r, err)
			}
			got, err := io.ReadAll(body)
			want := size - r.Offset
			if r.Length >= 0 {
				want = min(want, r.Length)
			}
			whole, _ := io.ReadAll(io.NewSectionReader(o, r.Offset, want))
			if err != nil || !bytes.Equal(got, whole) {
				t.Errorf("%d bytes, %v: %d bytes, %v", size, r, len(got), err)
			}
		}
	}
}

// TestSumsOfLargeObjectsStaySmall: blocks grow instead of their number.
func TestSumsOfLargeObjectsStaySmall(t *testing.T) {
	for _, c := range []struct{ size, block int64 }{
		{256 << 20, 64 << 10}, {256<<20 + 1, 128 << 10}, {700 << 20, 256 << 10},
	} {
		o := stretch(c.size)
		s := sumsOf(t, o, c.size)
		if n := len(s.Encode()); s.Block() != c.block || n > 1+4*4096 {
			t.Errorf("%d bytes: blocks of %d in %d bytes", c.size, s.Block(), n)
		}
		for _, at := range []int64{0, c.size / 2, c.size - 7} {
			r := blob.Range{Offset: at, Length: 7}
			body, err := s.Open(t.Context(), r, opener(o, c.size))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(body); err != nil || len(got) != 7 {
				t.Errorf("%d at %d: %d bytes, %v", c.size, at, len(got), err)
			}
			if _, err := s.Open(t.Context(), r, opener(dent{o, at - at%c.block}, c.size)); !errors.Is(err, blob.ErrDamaged) {
				t.Errorf("%d at %d: %v, want ErrDamaged", c.size, at, err)
			}
		}
	}
}

// dent is an object with a bit flipped in one byte.
type dent struct {
	io.ReaderAt
	at int64
}

func (d dent) ReadAt(p []byte, off int64) (int, error) {
	n, err := d.ReaderAt.ReadAt(p, off)
	if i := d.at - off; i >= 0 && i < int64(n) {
		p[i] ^= 4
	}
	return n, err
}

func TestSumsNoticeEveryFlipAndCut(t *testing.T) {
	const size = 3*65536 - 5
	o := stretch(size)
	s := sumsOf(t, o, size)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		at := rng.Int64N(size)
		for _, r := range []blob.Range{blob.All, {Offset: at, Length: 1}, {Offset: at / 65536 * 65536, Length: 1}} {
			body, err := s.Open(t.Context(), r, opener(dent{o, at}, size))
			if err == nil {
				var got []byte
				got, err = io.ReadAll(body)
				if int64(len(got)) > at-at%65536 {
					t.Fatalf("bit flipped at %d: %d bytes were served", at, len(got))
				}
			}
			if !errors.Is(err, blob.ErrDamaged) {
				t.Fatalf("bit flipped at %d, %v: %v", at, r, err)
			}
		}
	}
	for _, cut := range []int64{0, 1, 65536, 2 * 65536, size - 1} {
		body, err := s.Open(t.Context(), blob.Range{Offset: size - 1, Length: 1}, opener(o, cut))
		if !errors.Is(err, blob.ErrDamaged) {
			t.Errorf("cut to %d: %v, %v", cut, body, err)
		}
	}
}

// broken is a body whose connection ends in the middle.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		err = fmt.Errorf("%w: %w", blob.ErrUnavailable, io.ErrUnexpectedEOF)
	}
	return n, err
}

func TestAnswerCutOffIsNoDamage(t *testing.T) {
	const size = 200_000
	o := stretch(size)
	s := sumsOf(t, o, size)
	for _, at := range []int64{0, 1, 65535, 65536, 70_000, size - 1} {
		body, err := s.Open(t.Context(), blob.All, func(context.Context, blob.Range) (io.ReadCloser, error) {
			return io.NopCloser(broken{io.NewSectionReader(o, 0, at)}), nil
		})
		if err == nil {
			_, err = io.ReadAll(body)
		}
		if !errors.Is(err, blob.ErrUnavailable) || errors.Is(err, blob.ErrDamaged) {
			t.Errorf("cut off after %d bytes: %v, want ErrUnavailable", at, err)
		}
	}
}

func TestSealedObjectKnowsItself(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 65536, 300_000} {
		content := bytes.Repeat([]byte("x"), n)
		sealed := blob.Seal(content)
		s, front, err := blob.ReadSeal(sealed[:min(len(sealed), blob.SealFront)])
		if err != nil || s.Size() != int64(n) || !bytes.Equal(sealed[front:], content) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		for i := range front {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1
			if _, _, err := blob.ReadSeal(bad); !errors.Is(err, blob.ErrDamaged) {
				t.Errorf("%d bytes, byte %d: %v", n, i, err)
			}
			if _, _, err := blob.ReadSeal(sealed[:i]); !errors.Is(err, blob.ErrDamaged) {
				t.Errorf("%d bytes, cut to %d: %v", n, i, err)
			}
		}
	}
}

func TestDecodeSumsRefusesWhatIsNone(t *testing.T) {
	for _, c := range []struct {
		b    []byte
		size int64
	}{{nil, 0}, {[]byte{0}, 1}, {[]byte{0, 1, 2, 3}, 1}, {[]byte{31}, 0}, {[]byte{0, 1, 2, 3, 4}, 65537}, {[]byte{0}, -1}} {
		if _, err := blob.DecodeSums(c.b, c.size); err == nil {
			t.Errorf("%v of %d bytes is taken", c.b, c.size)
		}
	}
}
