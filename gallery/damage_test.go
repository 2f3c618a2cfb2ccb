package gallery_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/e2e/tally"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/tenant"
)

func damageFlags() (flips *int, within *time.Duration) {
	return flag.Int("gallery.flips", 300, "how many bits of objects are flipped"),
		flag.Duration("gallery.within", 0, "no more bits are flipped after this; 0: all are")
}

var damageFlips, damageWithin = damageFlags()

// noise returns a PNG that compresses badly and is a little transparent, so that its
// thumbnails are PNG files of several blocks.
func noise(side int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 0))
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		n := rng.Uint32()
		m.SetNRGBA(i%side, i/side, color.NRGBA{uint8(n), uint8(n >> 8), uint8(n >> 16), uint8(n>>24) | 1})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// target is an object of the store, and the ways in which what it says is served.
type target struct {
	kind string
	path string
	good []byte
	ways []func(*rand.Rand) (served bool, err error)
}

// galleryOfTargets fills a rig with an object of every kind.
func galleryOfTargets(t *testing.T, r *rig) []*target {
	t.Helper()
	m, err := r.Upload(t.Context(), anna, gallery.Upload{Filename: "a.png", Body: bytes.NewReader(noise(250, 1))})
	if err != nil {
		t.Fatal(err)
	}
	file := noise(200, 2)
	if _, err := r.PutFile(t.Context(), adam, gallery.FileUpload{Name: "notes", Body: bytes.NewReader(file)}); err != nil {
		t.Fatal(err)
	}
	old := r.withoutSums(noise(180, 3))
	for range 60 {
		r.write(m.ID, fresh(1)...)
	}
	r.until("history left the log", func() bool { return len(r.history(m.ID)) >= 4 })

	imageOf := func(id easel.ID) func() (gallery.Content, error) {
		return func() (gallery.Content, error) { return r.Image(t.Context(), anna, id) }
	}
	thumbOf := func(id easel.ID, size int) func() (gallery.Content, error) {
		return func() (gallery.Content, error) { return r.Thumbnail(t.Context(), anna, id, size) }
	}
	fileOf := func(name string) func() (gallery.Content, error) {
		return func() (gallery.Content, error) {
			_, c, err := r.File(t.Context(), anna, name)
			return c, err
		}
	}
	big, small := thumbOf(m.ID, 256), thumbOf(m.ID, 64)
	targets := []*target{
		{kind: "image", path: r.pathOf(string(m.ID), "original"), ways: r.reading(imageOf(m.ID), 2)},
		{kind: "old image", path: r.pathOf(string(old), "original"), ways: r.reading(imageOf(old), 2)},
		{kind: "file", path: r.objectOf(file), ways: r.reading(fileOf("notes"), 2)},
		{kind: "old file", path: r.objectOf([]byte(oldFile)), ways: r.reading(fileOf("old"), 2)},
		{kind: "large thumbnail", ways: r.reading(big, 2)},
		{kind: "small thumbnail", ways: r.reading(small, 2)},
	}
	targets[4].path = r.pathOf(string(m.ID), "thumb-256-sealed")
	targets[5].path = r.pathOf(string(m.ID), "thumb-64-sealed")
	for _, id := range []easel.ID{m.ID, old} {
		making := r.reading(thumbOf(id, 128), 1)
		stored := r.pathOf(string(id), "thumb-128-sealed")
		remade := func(rng *rand.Rand) (bool, error) {
			if err := os.Remove(stored); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			return making[0](rng)
		}
		probed := func(*rand.Rand) (bool, error) {
			w, h, err := r.Probe(t.Context(), homeTenant, id)
			if want := map[easel.ID]int{m.ID: 250, old: 180}[id]; err == nil && (w != want || h != want) {
				return false, fmt.Errorf("%w: dimensions are %d, %d", errServed, w, h)
			}
			return err == nil, err
		}
		i := map[easel.ID]int{m.ID: 0, old: 1}[id]
		targets[i].ways = append(targets[i].ways, remade, probed)
	}
	targets = append(targets, r.tiled())
	past := map[int64][]byte{}
	for v := int64(1); v <= 40; v++ {
		list, err := r.AnnotationsAt(t.Context(), vera, m.ID, canvas.Moment{Ver: v}, canvas.List{})
		if err != nil {
			t.Fatal(err)
		}
		past[v] = list.Body
	}
	for _, key := range r.history(m.ID) {
		name := key[strings.LastIndexByte(key, '/')+1:]
		targets = append(targets, &target{kind: name[:len("hist-ops")], path: r.pathOf(string(m.ID), name), ways: []func(*rand.Rand) (bool, error){
			func(rng *rand.Rand) (bool, error) {
				v := 1 + rng.Int64N(40)
				list, err := r.AnnotationsAt(t.Context(), vera, m.ID, canvas.Moment{Ver: v}, canvas.List{})
				if err == nil && !bytes.Equal(list.Body, past[v]) {
					return false, fmt.Errorf("%w: version %d", errServed, v)
				}
				return err == nil, err
			},
		}})
	}
	for _, x := range targets {
		b, err := os.ReadFile(x.path)
		if err != nil {
			t.Fatal(err)
		}
		x.good = b
	}
	return targets
}

// tiled is the object of an image's tiles.
func (r *rig) tiled() *target {
	r.t.Helper()
	id := r.large(picture(2100, 300), 2100, 300)
	if err := r.MakeTiles(r.t.Context(), homeTenant, id); err != nil {
		r.t.Fatal(err)
	}
	x := &target{kind: "tiles", path: r.pathOf(string(id), "tiles")}
	for _, at := range [][3]int{{12, 0, 0}, {12, 3, 0}, {12, 2, 0}, {11, 0, 0}, {11, 1, 0}, {10, 0, 0}} {
		x.ways = append(x.ways, r.reading(func() (gallery.Content, error) { return r.Tile(r.t.Context(), anna, id, at[0], at[1], at[2]) }, 2)...)
	}
	return x
}

// errServed: something else was served than was stored.
var errServed = errors.New("served what was not stored")

// oldFile is the content of a file that was put without sums.
var oldFile = strings.Repeat("once upon a time there was ", 8000)

// withoutSums makes an image and a file as older programs did.
func (r *rig) withoutSums(content []byte) easel.ID {
	r.t.Helper()
	m := r.upload(anna, "old.png")
	id := easel.NewID()
	key := func(id easel.ID) string { return "t/" + string(homeTenant) + "/i/" + string(id) + "/original" }
	if _, err := r.blobs.Put(r.t.Context(), key(id), bytes.NewReader(content)); err != nil {
		r.t.Fatal(err)
	}
	m.ID, m.Size, m.SHA256 = id, int64(len(content)), sha(content)
	must[canvas.ImageReply](r, canvas.Key(homeTenant, id), canvas.Birth{Image: m})
	at := "t/" + string(homeTenant) + "/f/" + string(easel.NewID())
	if _, err := r.blobs.Put(r.t.Context(), at, strings.NewReader(oldFile)); err != nil {
		r.t.Fatal(err)
	}
	must[tenant.FileReply](r, tenant.Key(homeTenant), tenant.FilePut{
		By: tenant.Author{User: "adam", Role: easel.Admin}, Blob: at,
		File: tenant.File{Name: "old", ETag: sha([]byte(oldFile)), Size: int64(len(oldFile)), ContentType: "text/plain"},
	})
	return id
}

// pathOf returns the file of an object of an image.
func (r *rig) pathOf(image, name string) (path string) {
	r.t.Helper()
	err := filepath.WalkDir(filepath.Join(r.dir, "blobs"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(p, image) && strings.HasSuffix(p, name) {
			path = p
		}
		return err
	})
	if err != nil || path == "" {
		r.t.Fatalf("no object %s of image %s: %v", name, image, err)
	}
	return path
}

// reading returns ways to read a content that is as it was now: all of it, and any
// ranges. Each compares every byte.
func (r *rig) reading(open func() (gallery.Content, error), ways int) (out []func(*rand.Rand) (bool, error)) {
	r.t.Helper()
	c, err := open()
	if err != nil {
		r.t.Fatal(err)
	}
	want, kind := read(r.t, c, blob.All), c.ContentType
	get := func(rng blob.Range) (bool, error) {
		c, err := open()
		if err != nil {
			return false, err
		}
		body, err := c.Open(r.t.Context(), rng)
		if err != nil {
			return false, err
		}
		defer body.Close()
		got, err := io.ReadAll(body)
		from := want[rng.Offset:]
		if rng.Length >= 0 && rng.Length < int64(len(from)) {
			from = from[:rng.Length]
		}
		if len(got) > len(from) || !bytes.Equal(got, from[:len(got)]) || err == nil && len(got) != len(from) || c.ContentType != kind {
			return false, fmt.Errorf("%w: %v, %d of %d bytes, %w", errServed, rng, len(got), len(from), err)
		}
		if err != nil && rng.Offset == 0 && len(got) == len(want) {
			return false, fmt.Errorf("%w: the whole, with an error after it", errServed)
		}
		return err == nil, err
	}
	for range ways - 1 {
		out = append(out, func(rng *rand.Rand) (bool, error) {
			from := rng.Int64N(int64(len(want)))
			return get(blob.Range{Offset: from, Length: 1 + rng.Int64N(int64(len(want))-from)})
		})
	}
	return append(out, func(*rand.Rand) (bool, error) { return get(blob.All) })
}

// TestFlippedBitIsNeverServed damages objects of every kind that is served or read
// for what is served. What comes is what was stored, or nothing.
func TestFlippedBitIsNeverServed(t *testing.T) {
	r := newRig(t, nil)
	targets := galleryOfTargets(t, r)
	rng := rand.New(rand.NewPCG(5, 6))
	report := &tally.Report{Suite: "bit flips, blobs", Rounds: *damageFlips, Faults: map[string]int{}}
	noticed := map[string]int{}
	began := time.Now()
	for i := range *damageFlips {
		if *damageWithin > 0 && time.Since(began) > *damageWithin {
			break
		}
		x := targets[i%len(targets)]
		way := x.ways[i/len(targets)%len(x.ways)]
		// Every part of the object has its turn.
		part := int64(len(x.good)) * 8 / int64(*damageFlips/len(targets)+1)
		bit := int64(i/len(targets))*part + rng.Int64N(max(part, 1))
		bad := bytes.Clone(x.good)
		bad[bit/8] ^= 1 << (bit % 8)
		if i%2 == 0 {
			r.Gallery = gallery.New(r.config) // one that remembers no sums of old objects
		}
		if err := os.WriteFile(x.path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		served, err := way(rng)
		switch {
		case errors.Is(err, errServed):
			t.Errorf("%s, bit %d: %v", x.kind, bit, err)
		case !served:
			noticed[x.kind]++
		}
		if now, err := os.ReadFile(x.path); err == nil && strings.Contains(x.kind, "thumbnail") && !bytes.Equal(now, bad) {
			noticed[x.kind]++ // it was noticed and made anew
		}
		if err := os.WriteFile(x.path, x.good, 0o600); err != nil {
			t.Fatal(err)
		}
		report.Round, report.Faults[x.kind] = i+1, report.Faults[x.kind]+1
	}
	for kind, n := range report.Faults {
		if noticed[kind] == 0 && n >= 20 {
			t.Errorf("no damage of %s was noticed, of %d", kind, n)
		}
	}
	sum := 0
	for _, n := range noticed {
		sum += n
	}
	report.Note = fmt.Sprintf("%d bits flipped, %d noticed, the others were not read", report.Round, sum)
	if err := report.Write(); err != nil {
		t.Error(err)
	}
	t.Log(report.Note, report.Faults, noticed)
}

// TestDamagedThumbnailIsMadeAgain: of a large one it shows only while it is sent.
func TestDamagedThumbnailIsMadeAgain(t *testing.T) {
	r := newRig(t, nil)
	m, err := r.Upload(t.Context(), anna, gallery.Upload{Filename: "a.png", Body: bytes.NewReader(noise(250, 1))})
	if err != nil {
		t.Fatal(err)
	}
	thumb := func() gallery.Content {
		c, err := r.Thumbnail(t.Context(), anna, m.ID, 256)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	want := read(t, thumb(), blob.All)
	path := r.pathOf(string(m.ID), "thumb-256-sealed")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(good) < 200_000 {
		t.Fatalf("a thumbnail of %d bytes has too few blocks", len(good))
	}
	for _, at := range []int{0, 20, 60, 1000, 100_000, len(good) - 1} {
		if err := os.WriteFile(path, flipped(good, at), 0o600); err != nil {
			t.Fatal(err)
		}
		body, err := thumb().Open(t.Context(), blob.All)
		if err == nil {
			got, err := io.ReadAll(body)
			_ = body.Close()
			if (err == nil) != bytes.Equal(got, want) {
				t.Errorf("flipped at %d: %d bytes, %v", at, len(got), err)
			}
		}
		if got := read(t, thumb(), blob.All); !bytes.Equal(got, want) {
			t.Errorf("flipped at %d: it is not made again", at)
		}
	}
}

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
