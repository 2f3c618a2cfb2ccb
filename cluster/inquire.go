package cluster

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// inquireWithin bounds one attempt to connect.
const inquireWithin = 300 * time.Millisecond

// suspect has inquire look at p: a link to it or from it has ended.
func (n *Node) suspect(p *peer) {
	select {
	case n.suspects <- p:
	default: // memberlist finds out
	}
}

// inquire finds nodes whose process has ended, a second before memberlist does.
// A node listens for gRPC as long as it lives; when its machine refuses the
// connection, that run of it is dead. Any other failure says nothing: a machine
// may be gone, slow or cut off, and memberlist decides.
func (n *Node) inquire(ctx context.Context, g *gossip) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-n.done:
			return
		case p := <-n.suspects:
			if refuses(ctx, p.address) {
				n.log.Info("member's process has ended", "node", p.member.Name, "rpc", p.address)
				g.bury(p.member.Name, p.member.Incarnation)
			}
		case <-tick.C:
			// Should it listen after all, memberlist would not tell again that it lives.
			for _, s := range g.buried() {
				if !refuses(ctx, s.Member.GetAddress()) {
					g.exhume(s)
				}
			}
		}
	}
}

// refuses reports whether nobody listens at address on a machine that is up.
func refuses(ctx context.Context, address string) bool {
	d := net.Dialer{Timeout: inquireWithin}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err == nil {
		_ = conn.Close() // it was only asked whether somebody is there
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
