package e2e_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// country is a city whose nodes are on machines of their own: network namespaces
// on one bridge, between which packets can be lost.
type country struct {
	*city
	t      *testing.T
	spaces []string
	land   [4]byte // the network of its bridge, a /28
}

// Addresses on the bridge: node i has i+1, clients and the store are in this process.
const (
	landStore = 13
	landHome  = 14
)

func (c *country) address(i int) string { return c.at(i + 1) }
func (c *country) storehouse() string   { return c.at(landStore) }

func (c *country) at(host int) string {
	return fmt.Sprintf("%d.%d.%d.%d", c.land[0], c.land[1], c.land[2], c.land[3]|byte(host))
}

// claim gives a bridge a network of its own, of those that are set aside for tests
// of networks (RFC 2544), and the addresses of this process in it.
func (c *country) claim(bridge string) {
	c.t.Helper()
	for {
		n := rand.IntN(1 << 13)
		c.land = [4]byte{198, 18 + byte(n>>12), byte(n >> 4), byte(n << 4)}
		// Clients come from the first: who is cut off from the store still hears them.
		c.must("addr", "add", c.at(landHome)+"/28", "dev", bridge)
		c.must("addr", "add", c.at(landStore)+"/28", "dev", bridge)
		// Whoever else took the same network in this moment sees it, too, and goes on.
		all, err := net.InterfaceAddrs()
		if err != nil {
			c.t.Fatal(err)
		}
		same := 0
		for _, a := range all {
			if a.String() == c.at(landHome)+"/28" {
				same++
			}
		}
		if same == 1 {
			return
		}
		c.must("addr", "flush", "dev", bridge)
	}
}

// newCountry makes a country in which nothing runs yet. It skips the test where
// namespaces cannot be made.
func newCountry(t *testing.T, size int, args ...string) *country {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces are made by root only")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("there is no ip command (Debian: iproute2)")
	}
	c := &country{t: t}
	// What is deleted goes a little later, so every country has names of its own.
	bridge := fmt.Sprintf("ez%06x", rand.IntN(1<<24))
	if err := ip("link", "add", bridge, "type", "bridge"); err != nil {
		t.Skipf("network namespaces cannot be made here: %v", err)
	}
	t.Cleanup(func() { _ = ip("link", "del", bridge) })
	c.claim(bridge)
	c.must("link", "set", bridge, "up")
	for i := range size {
		space, outside := fmt.Sprintf("%s-%d", bridge, i), fmt.Sprintf("%sv%d", bridge, i)
		c.must("netns", "add", space)
		t.Cleanup(func() { _ = ip("netns", "del", space) })
		c.must("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", space)
		t.Cleanup(func() { _ = ip("link", "del", outside) })
		c.must("link", "set", outside, "master", bridge, "up")
		c.must("-n", space, "addr", "add", c.address(i)+"/28", "dev", "eth0")
		c.must("-n", space, "link", "set", "eth0", "up")
		c.must("-n", space, "link", "set", "lo", "up")
		c.spaces = append(c.spaces, space)
	}
	c.city = &city{
		store: homeOn("http://" + forward(t, c.storehouse(), startS3(t, *clusterServer))), dir: t.TempDir(), nodes: map[string]*node{}, args: args,
		key: base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")),
	}
	for i := range size {
		c.seeds = append(c.seeds, c.address(i)+":7946")
	}
	c.bearer = token(t, c.dir, "--tenant=city", "--user=tester", "--role=admin", secretFlag())
	c.start = func(i int, args []string) *exec.Cmd {
		inside := command(context.Background(), append(args, "--addr="+c.address(i)+":8080")...)
		cmd := exec.Command("ip", append([]string{"netns", "exec", c.spaces[i]}, inside.Args...)...)
		cmd.Env = inside.Env
		return cmd
	}
	return c
}

// ip runs the command of that name.
func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (c *country) must(args ...string) {
	c.t.Helper()
	if err := ip(args...); err != nil {
		c.t.Fatal(err)
	}
}

// lose loses all that node i sends to an address, without a word: it goes to
// nobody's network card.
func (c *country) lose(i int, address string) {
	c.t.Helper()
	c.must("-n", c.spaces[i], "neigh", "replace", address, "lladdr", "02:00:00:00:00:99", "dev", "eth0", "nud", "permanent")
}

// pass undoes lose.
func (c *country) pass(i int, address string) {
	c.t.Helper()
	c.must("-n", c.spaces[i], "neigh", "del", address, "dev", "eth0")
}

// between does one of those in both directions.
func (c *country) between(do func(int, string), i, j int) {
	c.t.Helper()
	do(i, c.address(j))
	do(j, c.address(i))
}

// forward serves a server of this process at another of its addresses.
func forward(t *testing.T, at, endpoint string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", at+":0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { l.Close(); serving.Wait() })
	to := strings.TrimPrefix(endpoint, "http://")
	serving.Go(func() {
		for {
			in, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			go pipe(in, out)
			go pipe(out, in)
		}
	})
	return l.Addr().String()
}

func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	to.Close()
	from.Close()
}
