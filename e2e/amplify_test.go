package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

// tallied adds up the bytes that are written, by what they are.
type tallied struct {
	mu    sync.Mutex // guards bytes
	bytes map[string]int64
}

func (w *tallied) add(what string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bytes == nil {
		w.bytes = map[string]int64{}
	}
	w.bytes[what] += int64(n)
}

// partOf names what a file or an object of a home is.
func partOf(path string) string {
	base := filepath.Base(path)
	switch {
	case strings.HasPrefix(base, "head"):
		return "heads"
	case strings.HasPrefix(base, "l1-"), strings.Contains(path, "/l1/"):
		return "merges"
	case strings.HasPrefix(base, "snap-"), strings.Contains(path, "/snap/"):
		return "snapshots"
	case strings.Contains(path, "templates"):
		return "templates"
	default:
		return "log"
	}
}

// talliedFS counts what is written to files.
type talliedFS struct {
	hasty
	sum *tallied
}

func (f talliedFS) Create(path string) (journal.File, error) { return f.wrap(path, f.hasty.Create) }
func (f talliedFS) Open(path string) (journal.File, error)   { return f.wrap(path, f.hasty.Open) }

func (f talliedFS) wrap(path string, open func(string) (journal.File, error)) (journal.File, error) {
	file, err := open(path)
	return talliedFile{file, f.sum, partOf(path)}, err
}

type talliedFile struct {
	journal.File
	sum  *tallied
	what string
}

func (f talliedFile) WriteAt(b []byte, off int64) (int, error) {
	f.sum.add(f.what, len(b))
	return f.File.WriteAt(b, off)
}

// talliedStore counts what is put into a bucket.
type talliedStore struct {
	*journaltest.Store
	sum *tallied
}

func (s talliedStore) PutIfAbsent(ctx context.Context, key string, b []byte) (blob.Version, error) {
	s.sum.add(partOf(key), len(b))
	return s.Store.PutIfAbsent(ctx, key, b)
}

func (s talliedStore) PutIfMatch(ctx context.Context, key string, b []byte, v blob.Version) (blob.Version, error) {
	s.sum.add(partOf(key), len(b))
	return s.Store.PutIfMatch(ctx, key, b, v)
}

// BenchmarkWriteAmplification draws on images that never rest and compares the
// bytes that reach the home with the JSON of the ops: 32 images with 2,000 ops
// each, so many of them in a batch, then all are released. Every ten puts are
// followed by five changes and a delete.
func BenchmarkWriteAmplification(b *testing.B) {
	const images, ops = 32, 2000
	for _, home := range []string{"folder", "bucket"} {
		for _, batch := range []int{1, 16, 256} {
			b.Run(fmt.Sprintf("home=%s/batch=%d", home, batch), func(b *testing.B) {
				for b.Loop() {
					var user int64
					sum := &tallied{}
					j := talliedHome(b, home, sum)
					system, stop := sketchbook(b, j)
					var all sync.WaitGroup
					var mu sync.Mutex
					for range images {
						all.Go(func() {
							n := sketchOn(b, system, ops, batch)
							mu.Lock()
							defer mu.Unlock()
							user += n
						})
					}
					all.Wait()
					stop()
					if err := j.Close(); err != nil {
						b.Fatal(err)
					}
					total := int64(0)
					for what, n := range sum.bytes {
						total += n
						b.ReportMetric(float64(n)/float64(user), what+"/user-B")
					}
					b.ReportMetric(float64(total)/float64(user), "all/user-B")
					b.ReportMetric(float64(user)/images/ops, "user-B/op")
					b.ReportMetric(float64(total)/images/ops, "home-B/op")
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// talliedHome opens a journal that is compacted as often as one that has lived
// for long: a folder's log is small, for its images are few.
func talliedHome(b *testing.B, home string, sum *tallied) journal.Journal {
	b.Helper()
	var j journal.Journal
	var err error
	if home == "bucket" {
		j, err = journal.OpenBucket(journal.BucketOptions{Store: talliedStore{journaltest.NewStore(), sum}, Owner: "n1"})
	} else {
		j, err = journal.OpenNode(journal.NodeOptions{Dir: filepath.Join(b.TempDir(), "journal"), FS: talliedFS{sum: sum}, CompactBytes: 16 << 20})
	}
	if err != nil {
		b.Fatal(err)
	}
	return j
}

func sketchbook(b *testing.B, j journal.Journal) (system *actors.System, stop func()) {
	b.Helper()
	kind, err := canvas.Kind(canvas.Options{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	system, err = actors.New(actors.Config{
		Node: "n1", Dir: filepath.Join(b.TempDir(), "work"), Journal: j, InFlight: 1,
		Kinds: []*actors.Kind{&kind}, Messages: canvas.Prototypes(),
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := system.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	return system, func() {
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		defer cancel()
		if err := system.Stop(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// sketchOn makes an image and changes it, and returns the bytes of its ops' JSON.
func sketchOn(b *testing.B, system *actors.System, count, batch int) (user int64) {
	id := easel.NewID()
	key := canvas.Key("00000000000000000000000000000001", id)
	ask := func(m actors.Message) {
		if _, err := system.Ask(b.Context(), actors.Request{To: key, Message: m}); err != nil {
			b.Errorf("%s: %v", m.MessageName(), err)
		}
	}
	ask(canvas.Birth{Image: easel.Image{ID: id, Filename: "a.png", ContentType: "image/png", Size: 1, UploadedBy: "ann"}})
	var boxes []easel.ID
	x := 0.5
	for done := 0; done < count; {
		ops := make([]easel.Op, 0, batch)
		for ; len(ops) < batch && done < count; done++ {
			op := easel.Op{Kind: easel.OpPut, ID: easel.NewID(), Draft: &easel.Draft{
				Label: fmt.Sprint("label ", done%20), X: float64(done%100) / 200, Y: 0.25, Width: 0.125, Height: 0.0625,
			}}
			switch at := done % 16; {
			case at < 10 || len(boxes) < 8:
				boxes = append(boxes, op.ID)
			case at < 15:
				x = float64(done%97) / 200
				op = easel.Op{Kind: easel.OpPatch, ID: boxes[len(boxes)-at%8-1], Set: &easel.Patch{X: &x}}
			default:
				op = easel.Op{Kind: easel.OpDelete, ID: boxes[0]}
				boxes = boxes[1:]
			}
			ops = append(ops, op)
		}
		sent, err := json.Marshal(ops)
		if err != nil {
			b.Error(err)
		}
		user += int64(len(sent))
		ask(canvas.Apply{By: canvas.Author{User: "ann", Role: easel.Owner}, Ops: ops})
	}
	return user
}
