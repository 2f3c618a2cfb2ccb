package gallery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/imaging"
)

// tileFor bounds the work on one image's tiles.
const tileFor = 5 * time.Minute

// TileState says whether an image has tiles.
type TileState string

// The states of an image's tiles.
const (
	TilesNone   TileState = "none"   // and will have none: it is small, or cannot be decoded
	TilesMaking TileState = "making" // not yet
	TilesReady  TileState = "ready"
)

// Tiling says how an image is cut into tiles.
type Tiling struct {
	State   TileState
	Pyramid imaging.Pyramid // if it is TilesReady
}

// Tiling tells whether an image has tiles, and has them made if it should.
// CodeNotFound, CodeGone.
func (g *Gallery) Tiling(ctx context.Context, p easel.Principal, id easel.ID) (Tiling, error) {
	image, err := g.look(ctx, p, id)
	switch {
	case err != nil:
		return Tiling{}, err
	case image.Width == 0:
		return Tiling{State: TilesMaking}, nil // its size is not known yet
	case !pyramidOf(image).Tiled():
		return Tiling{State: TilesNone}, nil
	}
	pack, err := g.pack(ctx, tilesKey(p.Tenant, id))
	switch {
	case errors.Is(err, blob.ErrNotFound), errors.Is(err, blob.ErrDamaged):
		g.orderTiles(ctx, p.Tenant, id)
		return Tiling{State: TilesMaking}, nil
	case err != nil:
		return Tiling{}, outage(err)
	case len(pack.tiles) == 0:
		return Tiling{State: TilesNone}, nil
	}
	return Tiling{State: TilesReady, Pyramid: pack.pyramid}, nil
}

// Tile returns one tile of an image. CodeNotFound if there is none, or not yet;
// CodeGone.
func (g *Gallery) Tile(ctx context.Context, p easel.Principal, id easel.ID, level, x, y int) (Content, error) {
	image, err := g.look(ctx, p, id)
	if err != nil {
		return Content{}, err
	}
	if image.Width != 0 && !pyramidOf(image).Tiled() {
		return Content{}, easel.Errorf(easel.CodeNotFound, "the image has no tiles")
	}
	key := tilesKey(p.Tenant, id)
	pack, err := g.pack(ctx, key)
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrDamaged) {
		return Content{}, easel.Errorf(easel.CodeNotFound, "the tiles are not made yet")
	}
	if err != nil {
		return Content{}, outage(err)
	}
	n, ok := pack.pyramid.Index(level, x, y)
	if !ok || n >= len(pack.tiles) {
		return Content{}, easel.Errorf(easel.CodeNotFound, "no such tile")
	}
	tile := pack.tiles[n]
	contentType := "image/jpeg"
	if tile.png {
		contentType = "image/png"
	}
	return Content{
		ContentType: contentType, Size: int64(tile.len), Modified: image.CreatedAt,
		ETag: fmt.Sprintf("%.24s-%08x-%d", image.SHA256, pack.sum, n),
		Open: func(ctx context.Context, r blob.Range) (io.ReadCloser, error) {
			return g.openTile(ctx, p.Tenant, id, tile, r)
		},
	}, nil
}

// openTile opens a part of a tile that is known to be what was made. Damaged tiles
// go, and are made again.
func (g *Gallery) openTile(ctx context.Context, t easel.TenantID, id easel.ID, tile packedTile, r blob.Range) (io.ReadCloser, error) {
	key := tilesKey(t, id)
	body, _, err := g.c.Blobs.Get(ctx, key, blob.Range{Offset: tile.at, Length: int64(tile.len)})
	var all []byte
	if err == nil {
		all, err = io.ReadAll(body)
		err = errors.Join(err, body.Close())
	}
	switch {
	case errors.Is(err, blob.ErrNotFound), errors.Is(err, blob.ErrRange):
	case err != nil:
		return nil, outage(err)
	case len(all) == tile.len && crc32.Checksum(all, castagnoli) == tile.sum:
		from := min(r.Offset, int64(len(all)))
		to := int64(len(all))
		if r.Length >= 0 {
			to = min(to, from+r.Length)
		}
		return io.NopCloser(bytes.NewReader(all[from:to])), nil
	}
	// Perhaps they were made again since, by a release that makes them otherwise.
	g.packs.drop(key)
	pack, err := g.pack(ctx, key)
	if err == nil {
		for _, now := range pack.tiles {
			if now == tile { // as it says, and yet it is not
				g.c.Log.WarnContext(ctx, "tiles are damaged and were not served", "object", key)
				g.packs.drop(key)
				err = g.c.Blobs.Delete(context.WithoutCancel(ctx), key)
				break
			}
		}
	}
	if err != nil {
		g.c.Log.DebugContext(ctx, "tiles not looked at again", "err", err)
	}
	g.orderTiles(ctx, t, id)
	return nil, &easel.Error{Code: easel.CodeUnavailable, Message: "the tiles are being made again", RetryAfter: time.Second}
}

// orderTiles asks the image to have its tiles made. If that fails, the next who
// misses them asks again.
func (g *Gallery) orderTiles(ctx context.Context, t easel.TenantID, id easel.ID) {
	if _, err := g.canvas(ctx, t, id, canvas.WantTiles{}); err != nil {
		g.c.Log.DebugContext(ctx, "tiles not ordered", "err", err)
	}
}

// pack returns the index of an image's tiles. blob.ErrNotFound, blob.ErrDamaged.
func (g *Gallery) pack(ctx context.Context, key string) (*tilePack, error) {
	if p, ok := g.packs.get(key); ok {
		return p, nil
	}
	info, err := g.c.Blobs.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	tail := min(info.Size, packTail)
	body, _, err := g.c.Blobs.Get(ctx, key, blob.Range{Offset: info.Size - tail, Length: tail})
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	p, err := readPack(b, info.Size)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	g.packs.put(key, p)
	return p, nil
}

// MakeTiles cuts an image into tiles, unless it has them. One image at a time is cut
// on a node, and tenants take turns: who comes meanwhile gets CodeOverloaded, and the
// one who works serves them before it returns. CodeUnsupportedMedia and the like,
// which are not temporary, mean that there will be none.
func (g *Gallery) MakeTiles(ctx context.Context, t easel.TenantID, id easel.ID) error {
	mine := tileOrder{t, id}
	if _, err := g.pack(ctx, tilesKey(t, id)); err == nil {
		return nil
	}
	if !g.tiling.enter(mine) {
		return &easel.Error{Code: easel.CodeOverloaded, Message: "other images are being cut", RetryAfter: time.Second}
	}
	err := g.cut(ctx, mine)
	for next, ok := g.tiling.next(); ok; next, ok = g.tiling.next() {
		if ctx.Err() != nil {
			continue // their alarms order again
		}
		if err := g.cut(ctx, next); err != nil {
			g.c.Log.DebugContext(ctx, "tiles not made", "err", err) // its own alarm tries again
		}
	}
	return err
}

// cut makes the tiles of one image.
func (g *Gallery) cut(ctx context.Context, order tileOrder) error {
	ctx, cancel := context.WithTimeout(ctx, tileFor)
	defer cancel()
	key := tilesKey(order.tenant, order.image)
	if _, err := g.pack(ctx, key); err == nil {
		return nil
	}
	image, original, err := g.original(ctx, easel.Principal{Tenant: order.tenant}, order.image, false)
	if err != nil {
		return err
	}
	if !pyramidOf(image).Tiled() {
		return nil
	}
	select {
	case g.decoding <- struct{}{}:
		defer func() { <-g.decoding }()
	case <-ctx.Done():
		return ctx.Err()
	}
	r, err := g.seeker(ctx, original) // reads nothing that is damaged
	if err != nil {
		return outage(err)
	}
	var body io.Reader
	tiler, err := imaging.Tiles(r)
	switch code := easel.CodeOf(refusal(err)); {
	case err == nil:
		body = &packing{ctx: ctx, next: tiler.Next, pyramid: tiler.Pyramid()}
	case code == easel.CodeUnsupportedMedia:
		body = noTiles(pyramidOf(image))
	default:
		return outage(fmt.Errorf("cut image %s: %w", order.image, err))
	}
	if _, err := g.c.Blobs.Put(ctx, key, body); err != nil {
		return outage(fmt.Errorf("store tiles: %w", err))
	}
	// An image that was purged meanwhile would leave them behind.
	if _, err := g.canvas(ctx, order.tenant, order.image, canvas.Look{Deleted: true}); easel.CodeOf(err) == easel.CodeNotFound {
		return g.c.Blobs.Delete(ctx, key)
	}
	return nil
}

func pyramidOf(i easel.Image) imaging.Pyramid {
	return imaging.Pyramid{Width: i.Width, Height: i.Height}
}

// tilesKey is where the tiles of an image are. They can be made again at any time.
func tilesKey(t easel.TenantID, id easel.ID) string { return imagePrefix(t, id) + "tiles" }
