package main

import (
	"context"
	"net"
)

// member checks what a member of a cluster listens on besides. Beside a running node
// it cannot tell whose the ports are.
func (d *doctorCommand) member(ctx context.Context, c Config) {
	if c.Cluster.Bind == "" {
		return
	}
	if _, err := health(ctx, c); err == nil {
		d.say("cluster", nil, "not looked at while the node runs")
		return
	}
	if err := gossipFree(ctx, c.Cluster.Bind); err != nil {
		d.say("cluster", badKey("cluster-bind", "%v", err), "")
		return
	}
	if c.Cluster.RPC != "" {
		if err := free(ctx, c.Cluster.RPC); err != nil {
			d.say("cluster", badKey("rpc-bind", "%v", err), "")
			return
		}
	}
	d.say("cluster", nil, "%s is free, TCP and UDP; whether others reach it is not known", c.Cluster.Bind)
}

// free returns an error if nothing can listen on address.
func free(ctx context.Context, address string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}

// gossipFree is free for both protocols of gossip.
func gossipFree(ctx context.Context, address string) error {
	if err := free(ctx, address); err != nil {
		return err
	}
	var lc net.ListenConfig
	p, err := lc.ListenPacket(ctx, "udp", address)
	if err != nil {
		return err
	}
	return p.Close()
}
