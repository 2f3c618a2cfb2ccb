package gallery

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/imaging"
)

// All tiles of an image are one object, so that a large image is no thousand of them:
// the tiles one after another, in the order of imaging.Pyramid.Index; for each its
// length in bytes, with the highest bit set for a PNG, and its CRC-32C, 4 bytes each;
// and at the end packMagic, width, height and number of tiles, 4 bytes each, with the
// CRC-32C of all that follows the tiles. No tile at all says that the picture cannot
// be decoded, so that nobody tries again.
const (
	packMagic  = "easeltp1"
	packFooter = len(packMagic) + 4*4
	packEntry  = 8
	packPNG    = 1 << 31
	// packTail is at least as long as what follows the tiles: a picture of MaxPixels
	// has less than a thousand.
	packTail = 16 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// tilePack is what is known of an image's tiles without reading them.
type tilePack struct {
	pyramid imaging.Pyramid
	tiles   []packedTile // none: there never will be any
	sum     uint32       // of the index: names this making of the tiles
}

type packedTile struct {
	at  int64
	len int
	png bool
	sum uint32
}

// readPack reads the index of a pack of size bytes, of which tail is the end: packTail
// bytes, or the whole if it is shorter. blob.ErrDamaged.
func readPack(tail []byte, size int64) (*tilePack, error) {
	bad := func(what string) error { return fmt.Errorf("%w: %s", blob.ErrDamaged, what) }
	if len(tail) < packFooter || int64(len(tail)) > size {
		return nil, bad("it is too short for tiles")
	}
	footer := tail[len(tail)-packFooter:]
	if string(footer[:len(packMagic)]) != packMagic {
		return nil, bad("these are no tiles")
	}
	field := func(i int) uint32 { return binary.BigEndian.Uint32(footer[len(packMagic)+4*i:]) }
	p := &tilePack{pyramid: imaging.Pyramid{Width: int(field(0)), Height: int(field(1))}, sum: field(3)}
	count := int64(field(2))
	front := int64(len(tail)-packFooter) - count*packEntry
	if front < 0 || crc32.Checksum(tail[front:len(tail)-4], castagnoli) != p.sum {
		return nil, bad("the index of the tiles has changed")
	}
	w, h := int64(p.pyramid.Width), int64(p.pyramid.Height)
	if w < 1 || h < 1 || max(w, h) > imaging.MaxTiledSide || count != 0 && count != int64(p.pyramid.Count()) {
		return nil, bad("the index of the tiles makes no sense")
	}
	at := int64(0)
	for index := tail[front : len(tail)-packFooter]; len(index) > 0; index = index[packEntry:] {
		n := binary.BigEndian.Uint32(index)
		t := packedTile{at: at, len: int(n &^ packPNG), png: n&packPNG != 0, sum: binary.BigEndian.Uint32(index[4:])}
		p.tiles = append(p.tiles, t)
		at += int64(t.len)
	}
	if at+count*packEntry+int64(packFooter) != size {
		return nil, bad("tiles are missing")
	}
	return p, nil
}

// packing makes a pack while it is read: one tile at a time is in memory.
type packing struct {
	ctx     context.Context //nolint:containedctx // of the one call that makes it
	next    func() ([]byte, error)
	pyramid imaging.Pyramid
	index   []byte
	ready   []byte
	done    bool
}

// Read implements io.Reader.
func (p *packing) Read(b []byte) (int, error) {
	for len(p.ready) == 0 {
		if p.done {
			return 0, io.EOF
		}
		if err := p.ctx.Err(); err != nil {
			return 0, err
		}
		tile, err := p.next()
		switch {
		case errors.Is(err, io.EOF):
			p.ready, p.done = p.end(), true
		case err != nil:
			return 0, err
		default:
			kind, _ := imaging.Sniff(tile)
			length := uint32(len(tile))
			if kind == "image/png" {
				length |= packPNG
			}
			p.index = binary.BigEndian.AppendUint32(p.index, length)
			p.index = binary.BigEndian.AppendUint32(p.index, crc32.Checksum(tile, castagnoli))
			p.ready = tile
		}
	}
	n := copy(b, p.ready)
	p.ready = p.ready[n:]
	return n, nil
}

// end returns what follows the tiles.
func (p *packing) end() []byte {
	b := slices.Concat(p.index, []byte(packMagic))
	b = binary.BigEndian.AppendUint32(b, uint32(p.pyramid.Width))
	b = binary.BigEndian.AppendUint32(b, uint32(p.pyramid.Height))
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.index)/packEntry))
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// noTiles is the pack of a picture that cannot be decoded.
func noTiles(pyramid imaging.Pyramid) io.Reader {
	return bytes.NewReader((&packing{pyramid: pyramid}).end())
}
