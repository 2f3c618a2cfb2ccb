package journal_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
	"github.com/easelhq/easel/pages"
)

// commit is what one small commit leaves: four pages, mostly empty.
func commit(i int) pages.Set {
	s := pages.Set{PageSize: 4096, Size: 20}
	for _, no := range []uint32{1, 3, 7, 12} {
		b := make([]byte, 4096)
		copy(b[100:], fmt.Sprintf("header of page %d after commit %d", no, i))
		copy(b[3600:], fmt.Sprintf(`{"label":"cat","x":0.%d,"y":0.25,"width":0.5,"height":0.125}`, i))
		s.Pages = append(s.Pages, pages.Page{No: no, Data: b})
	}
	return s
}

func BenchmarkNodeAppend(b *testing.B) {
	for _, actors := range []int{1, 64} {
		b.Run(fmt.Sprintf("actors=%d", actors), func(b *testing.B) {
			n, err := journal.OpenNode(journal.NodeOptions{Dir: filepath.Join(b.TempDir(), "store")})
			if err != nil {
				b.Fatal(err)
			}
			defer n.Close()
			set := commit(1)
			terms := make([]journal.Term, actors)
			for i := range terms {
				if terms[i], err = n.Birth(b.Context(), journal.Name(fmt.Sprintf("image/t/%d", i)), journaltest.Template()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for i, term := range terms {
				wg.Go(func() {
					slots := make(chan error, 4) // batches in flight
					for range cap(slots) {
						slots <- nil
					}
					for range b.N/actors + min(1, b.N%actors/(i+1)) {
						if err := <-slots; err != nil {
							b.Error(err)
							return
						}
						term.Append(set, func(err error) { slots <- err })
					}
					for range cap(slots) {
						if err := <-slots; err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkNodeOpen replays 48 MiB of live segments.
func BenchmarkNodeOpen(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "store")
	n, err := journal.OpenNode(journal.NodeOptions{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	term, err := n.Birth(b.Context(), "image/t/a", journaltest.Template())
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.NewChaCha8([32]byte{1})
	const batches = 3000
	answers := make(chan error, batches)
	for range batches {
		s := pages.Set{PageSize: 4096, Size: 4}
		for no := range uint32(4) {
			data := make([]byte, 4096)
			rng.Read(data)
			s.Pages = append(s.Pages, pages.Page{No: no + 1, Data: data})
		}
		term.Append(s, func(err error) { answers <- err })
	}
	for range batches {
		if err := <-answers; err != nil {
			b.Fatal(err)
		}
	}
	if err := n.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n, err := journal.OpenNode(journal.NodeOptions{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
