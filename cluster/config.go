package cluster

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/easelhq/easel/actors"
)

// Config is what a Node is made of. Zero values are the defaults.
type Config struct {
	Name   string  // of this node, stable across restarts: 1 to 64 of [A-Za-z0-9._-]. Required
	Region string  // where it is
	Zone   string  // within the region; for operators, placement ignores it
	Weight float64 // its share of the actors, relative to the others'; 0: 1

	Bind      string   // HOST:PORT of gossip, TCP and UDP; port 0 takes any. Required
	RPCBind   string   // HOST:PORT of gRPC; "": the host of Bind, any port
	Advertise string   // the host under which others reach both ports; "": what they are bound to
	Join      []string // gossip HOST:PORT of any members; a name may stand for several

	// Key encrypts gossip, and encrypts and authenticates gRPC: KeyBytes bytes that
	// all nodes share. Without it both binds must be loopback addresses.
	Key []byte

	HTTP    string // HOST:PORT of this node's HTTP, told to the others
	Version string // of this build, told to the others

	// RegionOf returns where an actor is at home: nodes of that region own it as
	// long as there are any among members, which it must not change. nil: nowhere in
	// particular. It must be pure, quick, and the same on every node.
	RegionOf func(key actors.Key, members []Member) string

	// JoinWait is how long Start waits for the first member of Join before it goes
	// on alone and keeps trying; 0: 2 s.
	JoinWait time.Duration

	Log        *slog.Logger          // nil: none
	Registerer prometheus.Registerer // nil: none
}

var nameShape = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// endpoint is where to listen.
type endpoint struct {
	host string // an IP address
	port int
}

func (e endpoint) String() string { return net.JoinHostPort(e.host, strconv.Itoa(e.port)) }

// KeyError is a value of the configuration that a node cannot start with.
type KeyError struct {
	Key string // as the flag is spelled, without dashes
	Err error
}

// Error returns the key and what is wrong with it.
func (e *KeyError) Error() string { return e.Key + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *KeyError) Unwrap() error { return e.Err }

// check fills in defaults and returns where to listen.
func (c *Config) check() (gossip, rpc endpoint, err error) {
	if !nameShape.MatchString(c.Name) {
		return gossip, rpc, &KeyError{"node", fmt.Errorf("name %q: 1 to 64 of [A-Za-z0-9._-] are needed", c.Name)}
	}
	if c.Weight < 0 || c.Weight > 1000 {
		return gossip, rpc, &KeyError{"weight", fmt.Errorf("%v is not between 0 and 1000", c.Weight)}
	}
	if c.Weight == 0 {
		c.Weight = 1
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.JoinWait == 0 {
		c.JoinWait = 2 * time.Second
	}
	if c.RegionOf == nil {
		c.RegionOf = func(actors.Key, []Member) string { return "" }
	}
	if gossip, err = listenOn(c.Bind); err != nil {
		return gossip, rpc, &KeyError{"cluster-bind", err}
	}
	if c.RPCBind == "" {
		c.RPCBind = net.JoinHostPort(gossip.host, "0")
	}
	if rpc, err = listenOn(c.RPCBind); err != nil {
		return gossip, rpc, &KeyError{"rpc-bind", err}
	}
	if len(c.Key) == 0 && !(loopback(gossip.host) && loopback(rpc.host)) {
		return gossip, rpc, &KeyError{"cluster-key", errors.New("is needed to listen on an address that is not loopback: " +
			"without one anybody who reaches it could join; make one with: head -c 32 /dev/urandom | base64")}
	}
	return gossip, rpc, nil
}

// listenOn resolves HOST:PORT; memberlist listens on IP addresses only.
func listenOn(address string) (endpoint, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return endpoint{}, fmt.Errorf("address %q: %w", address, err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return endpoint{}, fmt.Errorf("address %q: port %q is none", address, port)
	}
	switch host {
	case "localhost":
		host = "127.0.0.1"
	case "":
		host = "0.0.0.0"
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return endpoint{}, fmt.Errorf("address %q: the host must be an IP address or localhost", address)
	}
	return endpoint{host, int(n)}, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
