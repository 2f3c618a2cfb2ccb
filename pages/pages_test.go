package pages_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel/pages"
)

func page(no uint32, size int, fill string) pages.Page {
	b := make([]byte, size)
	copy(b, fill)
	copy(b[size-len(fill):], fill)
	return pages.Page{No: no, Data: b}
}

func random(no uint32, size int) pages.Page {
	b := make([]byte, size)
	rng := rand.NewChaCha8([32]byte{byte(no)})
	rng.Read(b)
	return pages.Page{No: no, Data: b}
}

func many(n int) []pages.Page {
	out := make([]pages.Page, n)
	for i := range out {
		out[i] = page(uint32(2*i+1), 4096, fmt.Sprint("page", i))
	}
	return out
}

func sets() map[string]pages.Set {
	return map[string]pages.Set{
		"empty":          {},
		"truncation":     {PageSize: 4096, Size: 3},
		"one page":       {PageSize: 512, Size: 1, Pages: []pages.Page{page(1, 512, "a")}},
		"random data":    {PageSize: 1024, Size: 9, Pages: []pages.Page{random(2, 1024), random(9, 1024)}},
		"largest pages":  {PageSize: 65536, Size: 70000, Pages: []pages.Page{page(5, 65536, "x"), random(70000, 65536)}},
		"several blocks": {PageSize: 4096, Size: 1000, Pages: many(300)},
	}
}

func TestDecodeUndoesEncode(t *testing.T) {
	for name, s := range sets() {
		t.Run(name, func(t *testing.T) {
			b, err := new(pages.Encoder).Encode([]byte("before"), s)
			if err != nil {
				t.Fatal(err)
			}
			got, err := pages.Decode(b[len("before"):])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEncodeRefusesWhatIsNoSet(t *testing.T) {
	tests := map[string]pages.Set{
		"no page size":      {Size: 1},
		"odd page size":     {PageSize: 1000, Size: 1},
		"large page size":   {PageSize: 1 << 17, Size: 1},
		"page past the end": {PageSize: 512, Size: 1, Pages: []pages.Page{page(2, 512, "")}},
		"page zero":         {PageSize: 512, Size: 1, Pages: []pages.Page{page(0, 512, "")}},
		"page twice":        {PageSize: 512, Size: 2, Pages: []pages.Page{page(1, 512, ""), page(1, 512, "")}},
		"short page":        {PageSize: 512, Size: 2, Pages: []pages.Page{page(1, 511, "")}},
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := pages.Encode(s); !errors.Is(err, pages.ErrMalformed) {
				t.Errorf("encode: %v, want ErrMalformed", err)
			}
		})
	}
}

func TestDecodeRefusesEveryPrefix(t *testing.T) {
	b, err := pages.Encode(sets()["random data"])
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		if _, err := pages.Decode(b[:i]); !errors.Is(err, pages.ErrMalformed) {
			t.Fatalf("first %d of %d bytes: %v, want ErrMalformed", i, len(b), err)
		}
	}
	if _, err := pages.Decode(append(b, 0)); !errors.Is(err, pages.ErrMalformed) {
		t.Errorf("one byte more: %v, want ErrMalformed", err)
	}
}

func TestMergeKeepsTheNewest(t *testing.T) {
	old := pages.Set{PageSize: 512, Size: 9, Pages: []pages.Page{page(1, 512, "old"), page(2, 512, "old"), page(9, 512, "old")}}
	cut := pages.Set{PageSize: 512, Size: 4, Pages: []pages.Page{page(2, 512, "cut")}}
	grown := pages.Set{PageSize: 512, Size: 10, Pages: []pages.Page{page(4, 512, "new"), page(10, 512, "new")}}
	tests := []struct {
		name string
		sets []pages.Set
		want pages.Set
	}{
		{"nothing", nil, pages.Set{}},
		{"empty sets", []pages.Set{{}, {}}, pages.Set{}},
		{"empty among others", []pages.Set{{}, cut, {}}, cut},
		{
			"pages past the end go",
			[]pages.Set{old, cut},
			pages.Set{PageSize: 512, Size: 4, Pages: []pages.Page{page(1, 512, "old"), page(2, 512, "cut")}},
		},
		{
			"and do not come back",
			[]pages.Set{old, cut, grown},
			pages.Set{PageSize: 512, Size: 10, Pages: []pages.Page{page(1, 512, "old"), page(2, 512, "cut"), page(4, 512, "new"), page(10, 512, "new")}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := pages.Merge(tt.sets...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := pages.Merge(old, pages.Set{PageSize: 1024, Size: 1}); !errors.Is(err, pages.ErrMalformed) {
		t.Errorf("other page size: %v, want ErrMalformed", err)
	}
}

// Merging first or applying one by one must give the same file.
func TestMergedAppliesLikeEach(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var all []pages.Set
		size := 4
		for i := range 10 {
			next := 1 + rng.IntN(12)
			s := pages.Set{PageSize: 512, Size: uint32(next)}
			for no := 1; no <= next; no++ {
				if no > size || rng.IntN(4) == 0 { // what a file grows by is always written
					s.Pages = append(s.Pages, page(uint32(no), 512, fmt.Sprint(i, no)))
				}
			}
			size = next
			all = append(all, s)
		}
		merged, err := pages.Merge(all...)
		if err != nil {
			t.Fatal(err)
		}
		want, got := apply(t, all...), apply(t, merged)
		if !bytes.Equal(want, got) {
			t.Fatal("the files differ")
		}
	}
}

func apply(t *testing.T, sets ...pages.Set) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, make([]byte, 4*512), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, s := range sets {
		if err := s.ApplyTo(f); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeLTXUndoesEncodeLTX(t *testing.T) {
	for name, s := range sets() {
		if s.Empty() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			span := pages.Span{From: 3, To: 8}
			b, err := pages.EncodeLTX(s, span)
			if err != nil {
				t.Fatal(err)
			}
			got, gotSpan, err := pages.DecodeLTX(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s, got); diff != "" || gotSpan != span {
				t.Error(gotSpan, diff)
			}
			if _, _, err := pages.DecodeLTX(b[:len(b)-1]); !errors.Is(err, pages.ErrMalformed) {
				t.Errorf("without its last byte: %v, want ErrMalformed", err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range sets() {
		b, err := pages.Encode(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := pages.Decode(b)
		if err != nil {
			if !errors.Is(err, pages.ErrMalformed) {
				t.Errorf("%v, want ErrMalformed", err)
			}
			return
		}
		if err := s.Check(); err != nil {
			t.Errorf("decoded: %v", err)
		}
	})
}

func FuzzDecodeLTX(f *testing.F) {
	for name, s := range sets() {
		if s.Empty() || name == "several blocks" {
			continue
		}
		b, err := pages.EncodeLTX(s, pages.Span{From: 1, To: 2})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, _, err := pages.DecodeLTX(b)
		if err == nil {
			err = s.Check()
		}
		if err != nil && !errors.Is(err, pages.ErrMalformed) {
			t.Errorf("%v, want ErrMalformed", err)
		}
	})
}

// small is what a commit of one operation leaves behind.
func small() pages.Set {
	s := pages.Set{PageSize: 4096, Size: 30}
	for _, no := range []uint32{1, 4, 9, 17} {
		p := page(no, 4096, "")
		copy(p.Data, "a b-tree page begins with pointers")
		copy(p.Data[3500:], `{"label":"cat","x":0.25,"y":0.5,"width":0.125,"height":0.75}`)
		s.Pages = append(s.Pages, p)
	}
	return s
}

func BenchmarkEncodeSmall(b *testing.B) {
	s := small()
	var e pages.Encoder
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Encode(nil, s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeSmall(b *testing.B) {
	e, err := pages.Encode(small())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(e)), "bytes")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pages.Decode(e); err != nil {
			b.Fatal(err)
		}
	}
}
