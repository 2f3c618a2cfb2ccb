package gallery_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/imaging"
)

// large uploads an image that is worth tiles, whose size is known.
func (r *rig) large(file []byte, width, height int) easel.ID {
	r.t.Helper()
	m, err := r.Upload(r.t.Context(), anna, gallery.Upload{Filename: "large.png", Body: bytes.NewReader(file)})
	if err != nil {
		r.t.Fatal(err)
	}
	must[canvas.Empty](r, canvas.Key(homeTenant, m.ID), canvas.Probed{Width: width, Height: height})
	return m.ID
}

func (r *rig) tiling(id easel.ID) gallery.Tiling {
	r.t.Helper()
	got, err := r.Tiling(r.t.Context(), vera, id)
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

// tile returns a tile's picture.
func (r *rig) tile(id easel.ID, level, x, y int) (image.Image, error) {
	r.t.Helper()
	c, err := r.Tile(r.t.Context(), vera, id, level, x, y)
	if err != nil {
		return nil, err
	}
	body, err := c.Open(r.t.Context(), blob.All)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, err
	}
	if kind, _ := imaging.Sniff(b); kind != c.ContentType || int64(len(b)) != c.Size {
		r.t.Errorf("%d bytes of %s, want %d of %s", len(b), kind, c.Size, c.ContentType)
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	return img, err
}

func TestTilesShowWhatTheImageShows(t *testing.T) {
	r := newRig(t, nil)
	file := picture(2100, 40)
	id := r.large(file, 2100, 40)
	if got := r.tiling(id); got != (gallery.Tiling{State: gallery.TilesMaking}) {
		t.Errorf("before: %+v", got)
	}
	_, err := r.Tile(t.Context(), vera, id, 12, 0, 0)
	wantCode(t, err, easel.CodeNotFound)
	if err := r.MakeTiles(t.Context(), homeTenant, id); err != nil {
		t.Fatal(err)
	}
	want := gallery.Tiling{State: gallery.TilesReady, Pyramid: imaging.Pyramid{Width: 2100, Height: 40}}
	if diff := cmp.Diff(want, r.tiling(id)); diff != "" {
		t.Error(diff)
	}
	original, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for x := range 5 {
		tile, err := r.tile(id, 12, x, 0)
		if err != nil {
			t.Fatal(err)
		}
		at := want.Pyramid.Bounds(12, x, 0)
		for dy := range at.Dy() {
			for dx := range at.Dx() {
				r1, g1, b1, _ := tile.At(dx, dy).RGBA()
				r2, g2, b2, _ := original.At(at.Min.X+dx, at.Min.Y+dy).RGBA()
				if r1 != r2 || g1 != g2 || b1 != b2 {
					t.Fatalf("tile %d differs at %d, %d", x, dx, dy)
				}
			}
		}
	}
	for _, no := range [][3]int{{8, 0, 0}, {13, 0, 0}, {12, 5, 0}, {12, 0, 1}, {-1, 0, 0}} {
		_, err := r.Tile(t.Context(), vera, id, no[0], no[1], no[2])
		wantCode(t, err, easel.CodeNotFound)
	}
	_, err = r.Tile(t.Context(), other, id, 12, 0, 0)
	wantCode(t, err, easel.CodeNotFound)
	_, err = r.Tiling(t.Context(), other, id)
	wantCode(t, err, easel.CodeNotFound)
}

func TestSmallAndUndecodableImagesHaveNoTiles(t *testing.T) {
	r := newRig(t, nil)
	small := r.large(picture(40, 30), 40, 30)
	if got := r.tiling(small); got.State != gallery.TilesNone {
		t.Errorf("small: %+v", got)
	}
	_, err := r.Tile(t.Context(), vera, small, 0, 0, 0)
	wantCode(t, err, easel.CodeNotFound)

	torn := picture(2100, 40)
	const signature, header = 8, 25
	copy(torn[signature+header+8+40:], bytes.Repeat([]byte{0xff}, 200)) // its data make no sense
	id := r.large(torn, 2100, 40)
	if err := r.MakeTiles(t.Context(), homeTenant, id); err != nil {
		t.Fatal(err)
	}
	if got := r.tiling(id); got.State != gallery.TilesNone {
		t.Errorf("undecodable: %+v", got)
	}
	_, err = r.Tile(t.Context(), vera, id, 12, 0, 0)
	wantCode(t, err, easel.CodeNotFound)
}

func TestTilesAreNeverMadeOfADamagedOriginal(t *testing.T) {
	r := newRig(t, nil)
	id := r.large(picture(2100, 40), 2100, 40)
	path := r.pathOf(string(id), "original")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 4
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.MakeTiles(t.Context(), homeTenant, id); !errors.Is(err, blob.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if got := r.tiling(id); got.State != gallery.TilesMaking {
		t.Errorf("got %+v", got)
	}
}

func TestDamagedTilesAreNotServedAndMadeAgain(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"a bit of a tile":  func(b []byte) []byte { b[100] ^= 1; return b },
		"a bit at the end": func(b []byte) []byte { b[len(b)-30] ^= 1; return b },
		"cut short":        func(b []byte) []byte { return b[:len(b)/2] },
		"empty":            func([]byte) []byte { return nil },
	} {
		for _, known := range []bool{false, true} { // whether the index is in memory
			t.Run(name, func(t *testing.T) {
				r := newRig(t, nil)
				id := r.large(picture(2100, 40), 2100, 40)
				if err := r.MakeTiles(t.Context(), homeTenant, id); err != nil {
					t.Fatal(err)
				}
				path := r.pathOf(string(id), "tiles")
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if known {
					if _, err := r.tile(id, 12, 0, 0); err != nil {
						t.Fatal(err)
					}
				} else {
					r.Gallery = gallery.New(r.config)
				}
				if err := os.WriteFile(path, damage(b), 0o600); err != nil {
					t.Fatal(err)
				}
				served := 0
				for x := range 5 {
					if _, err := r.tile(id, 12, x, 0); err == nil {
						served++
					} else if code := easel.CodeOf(err); code != easel.CodeUnavailable && code != easel.CodeNotFound {
						t.Errorf("tile %d: %v", x, err)
					}
				}
				// With the index in memory, whole tiles before the damage may be served.
				if served == 5 && (!known || name == "a bit of a tile" || name == "empty") {
					t.Error("all tiles are served")
				}
				if got := r.tiling(id); got.State != gallery.TilesMaking {
					// Only the end of the object was damaged, and that is in memory.
					r.Gallery = gallery.New(r.config)
				}
				if got := r.tiling(id); got.State != gallery.TilesMaking {
					t.Errorf("got %+v", got)
				}
				if err := r.MakeTiles(t.Context(), homeTenant, id); err != nil {
					t.Fatal(err)
				}
				for x := range 5 {
					if _, err := r.tile(id, 12, x, 0); err != nil {
						t.Errorf("tile %d: %v", x, err)
					}
				}
			})
		}
	}
}

func TestTilesGoWithTheImage(t *testing.T) {
	r := newRig(t, nil)
	id := r.large(picture(2100, 40), 2100, 40)
	if err := r.MakeTiles(t.Context(), homeTenant, id); err != nil {
		t.Fatal(err)
	}
	must[canvas.Empty](r, canvas.Key(homeTenant, id), canvas.SoftDelete{By: canvas.Author{User: "anna", Role: easel.Annotator}})
	_, err := r.Tiling(t.Context(), vera, id)
	wantCode(t, err, easel.CodeGone)
	_, err = r.Tile(t.Context(), vera, id, 12, 0, 0)
	wantCode(t, err, easel.CodeGone)
	wantCode(t, r.MakeTiles(t.Context(), homeTenant, easel.NewID()), easel.CodeNotFound)

	r.restart(40 * 24 * 3600e9)
	r.until("the image is purged", func() bool {
		if _, err := r.PurgeImages(t.Context()); err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(r.stored(), func(key string) bool { return strings.Contains(key, string(id)) })
	})
}

func TestTenantsTakeTurnsToHaveTheirImagesCut(t *testing.T) {
	var l gallery.TileLine
	if !l.Enter(homeTenant, "a0") {
		t.Fatal("nobody is there, and one has to wait")
	}
	for _, id := range []easel.ID{"a1", "a2", "a3", "a2"} {
		if l.Enter(homeTenant, id) {
			t.Fatal("two at once")
		}
	}
	l.Enter(otherTenant, "b1")
	var got []easel.ID
	for _, id, ok := l.Next(); ok; _, id, ok = l.Next() {
		got = append(got, id)
	}
	if diff := cmp.Diff([]easel.ID{"a1", "b1", "a2", "a3"}, got); diff != "" {
		t.Error(diff)
	}
	if !l.Enter(otherTenant, "b2") {
		t.Error("the work is over, and one has to wait")
	}
}

func FuzzIndexOfTiles(f *testing.F) {
	footer := []byte("easeltp1")
	for _, v := range []uint32{2100, 40, 0, 0} {
		footer = binary.BigEndian.AppendUint32(footer, v)
	}
	f.Add(footer, int64(len(footer)))
	f.Add([]byte(nil), int64(0))
	f.Fuzz(func(t *testing.T, tail []byte, size int64) {
		n, err := gallery.ReadPack(tail, size)
		if err != nil && !errors.Is(err, blob.ErrDamaged) {
			t.Fatalf("an error of another kind: %v", err)
		}
		if n > len(tail) {
			t.Fatalf("%d tiles in an index of %d bytes", n, len(tail))
		}
	})
}
