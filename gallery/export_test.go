package gallery

import (
	"context"

	"github.com/easelhq/easel"
)

// Turnstile lets n in at once; Enter is as enter.
type Turnstile struct{ s *turnstile }

// NewTurnstile makes one.
func NewTurnstile(n int) Turnstile { return Turnstile{newTurnstile(n)} }

// Enter waits for room.
func (t Turnstile) Enter(ctx context.Context, id easel.TenantID) (leave func(), err error) {
	return t.s.enter(ctx, id)
}

// Tenants counts those who are remembered.
func (t Turnstile) Tenants() int { return len(t.s.by) }

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
