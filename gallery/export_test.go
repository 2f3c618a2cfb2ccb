package gallery

import "github.com/easelhq/easel"

// ReadPack reads the end of a pack of tiles, and tells only whether it is one.
func ReadPack(tail []byte, size int64) (tiles int, err error) {
	p, err := readPack(tail, size)
	if err != nil {
		return 0, err
	}
	return len(p.tiles), nil
}

// TileLine is who is served next.
type TileLine struct{ l tileLine }

// Enter is as enter.
func (t *TileLine) Enter(tenant easel.TenantID, image easel.ID) bool {
	return t.l.enter(tileOrder{tenant, image})
}

// Next is as next.
func (t *TileLine) Next() (tenant easel.TenantID, image easel.ID, ok bool) {
	o, ok := t.l.next()
	return o.tenant, o.image, ok
}
