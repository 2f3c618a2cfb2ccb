package main

import (
	"crypto/tls"
	"net"
	"os"
	"time"
)

// mostLinger is well below the time after which a write is given up.
const mostLinger = time.Second

// check finds what is wrong with the values together, or with what they name
// outside the process, except for what starting itself finds out (a folder that
// cannot be written, a port in use). It returns a *usageError.
func (c *Config) check(lookup func(string) (string, bool)) error {
	if c.HTTP.Addr == "" {
		return badKey("addr", "must not be empty")
	}
	if c.Life.Linger > mostLinger {
		return badKey("linger", "must be at most %s, not %s: every write waits for it", mostLinger, c.Life.Linger)
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	if err := c.checkCluster(); err != nil {
		return err
	}
	_, err := parseHome(*c, lookup)
	return err
}

func (c *Config) checkTLS() error {
	switch cert, key := c.HTTP.TLSCert, c.HTTP.TLSKey; {
	case cert == "" && key == "":
		return nil
	case key == "":
		return badKey("tls-key", "must be set together with --tls-cert")
	case cert == "":
		return badKey("tls-cert", "must be set together with --tls-key")
	default:
		for name, path := range map[string]string{"tls-cert": cert, "tls-key": key} {
			if _, err := os.Stat(path); err != nil {
				return badKey(name, "%v", err)
			}
		}
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			return badKey("tls-cert", "%v", err)
		}
		return nil
	}
}

// checkCluster checks what a member of a cluster needs.
func (c *Config) checkCluster() error {
	if c.Cluster.Bind == "" {
		if len(c.Cluster.Join) > 0 { // alone it would only be in the others' way
			return badKey("cluster-bind", "is required with --cluster-join")
		}
		// Whoever gives one of these believes that the node is a member.
		for _, given := range []struct {
			key string
			set bool
		}{
			{"cluster-key", c.Cluster.Key != nil}, {"rpc-bind", c.Cluster.RPC != ""}, {"advertise", c.Cluster.Advertise != ""},
		} {
			if given.set {
				return badKey(given.key, "means nothing without --cluster-bind")
			}
		}
		return nil
	}
	host, _, err := net.SplitHostPort(c.Cluster.Bind)
	if err != nil {
		return badKey("cluster-bind", "%v", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) && c.Cluster.Key == nil {
		return badKey("cluster-key", "is required with --cluster-bind on an address that others can reach")
	}
	if len(c.Identity.Secrets) == 0 && c.Identity.JWKS == "" {
		return badKey("jwt-secret", "is required in a cluster, unless --jwks-url is set")
	}
	if !c.Store.remote() {
		return badKey("store", "must be s3://… in a cluster: a folder belongs to one process")
	}
	return nil
}
