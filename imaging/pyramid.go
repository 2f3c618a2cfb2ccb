package imaging

import "image"

// How pictures are cut into tiles, as Deep Zoom does: squares of TileSize pixels
// that reach TileOverlap pixels into each neighbour.
const (
	TileSize    = 512
	TileOverlap = 1
)

// Pictures whose longer side has more than TiledFrom pixels are worth tiles; those
// of more than MaxTiledSide have none, because a strip would be thousands of them.
const (
	TiledFrom    = 2048
	MaxTiledSide = 65_536
)

// Pyramid says how a picture of that size, as it is shown, is cut into tiles. Its
// highest level is the picture itself, each lower one half as wide and high, rounded
// up; the lowest is one tile.
type Pyramid struct{ Width, Height int }

// Tiled reports whether such a picture gets tiles.
func (p Pyramid) Tiled() bool {
	longest := max(p.Width, p.Height)
	return longest > TiledFrom && longest <= MaxTiledSide && int64(p.Width)*int64(p.Height) <= MaxPixels
}

// Levels returns the numbers of the lowest and the highest level. As in Deep Zoom a
// level's number is how often a side of one pixel has to be doubled.
func (p Pyramid) Levels() (lowest, highest int) {
	for 1<<highest < max(p.Width, p.Height) {
		highest++
	}
	lowest = highest
	for w, h := p.Size(lowest); max(w, h) > TileSize; w, h = p.Size(lowest) {
		lowest--
	}
	return lowest, highest
}

// Size returns the pixels of a level, which must be at most the highest.
func (p Pyramid) Size(level int) (width, height int) {
	highest := 0
	for 1<<highest < max(p.Width, p.Height) {
		highest++
	}
	half := 1 << (highest - level)
	return (p.Width + half - 1) / half, (p.Height + half - 1) / half
}

// Grid returns how many tiles a level has in a row and in a column.
func (p Pyramid) Grid(level int) (columns, rows int) {
	w, h := p.Size(level)
	return (w + TileSize - 1) / TileSize, (h + TileSize - 1) / TileSize
}

// Bounds returns which part of its level a tile shows.
func (p Pyramid) Bounds(level, x, y int) image.Rectangle {
	w, h := p.Size(level)
	tile := image.Rect(x*TileSize, y*TileSize, (x+1)*TileSize, (y+1)*TileSize)
	return tile.Inset(-TileOverlap).Intersect(image.Rect(0, 0, w, h))
}

// Count returns how many tiles there are.
func (p Pyramid) Count() int {
	lowest, highest := p.Levels()
	n := 0
	for level := lowest; level <= highest; level++ {
		columns, rows := p.Grid(level)
		n += columns * rows
	}
	return n
}

// Index returns which of the tiles one is, in the order in which a Tiler makes them:
// from the highest level down, row by row. ok is false if there is no such tile.
func (p Pyramid) Index(level, x, y int) (n int, ok bool) {
	lowest, highest := p.Levels()
	if level < lowest || level > highest {
		return 0, false
	}
	for l := highest; l > level; l-- {
		columns, rows := p.Grid(l)
		n += columns * rows
	}
	columns, rows := p.Grid(level)
	if x < 0 || y < 0 || x >= columns || y >= rows {
		return 0, false
	}
	return n + y*columns + x, true
}
