package cluster_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a node as its test sees it.
type process struct {
	t      *testing.T
	setup  setup
	cmd    *exec.Cmd
	in     io.WriteCloser
	orders *json.Encoder
	out    *json.Decoder
	gossip string
	rpc    string
	stderr *strings.Builder
	waited sync.Once
}

// launch starts a node and waits until it serves.
func launch(t *testing.T, s setup) *process {
	t.Helper()
	p := begin(t, s)
	if err := p.ready(); err != nil {
		t.Fatalf("node %s: %v: %s", s.Name, err, p.stderr)
	}
	return p
}

// begin starts a node.
func begin(t *testing.T, s setup) *process {
	t.Helper()
	if s.Bind == "" {
		s.Bind = "127.0.0.1:0"
	}
	config, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, setup: s, stderr: &strings.Builder{}}
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), nodeEnvironment+"="+string(config))
	p.cmd.Stderr = p.stderr
	if s.Verbose {
		p.cmd.Stderr = os.Stderr
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.orders, p.out = json.NewEncoder(p.in), json.NewDecoder(bufio.NewReader(out))
	t.Cleanup(p.kill)
	return p
}

func (p *process) ready() error {
	var r report
	if err := p.out.Decode(&r); err != nil {
		p.wait()
		return err
	}
	p.gossip, p.rpc = r.Gossip, r.RPC
	return nil
}

func (p *process) wait() {
	p.waited.Do(func() {
		p.in.Close()
		_ = p.cmd.Wait()
		if s := p.stderr.String(); strings.Contains(s, "DATA RACE") || strings.Contains(s, "panic") {
			p.t.Errorf("node %s: %s", p.setup.Name, s)
		}
	})
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	p.wait()
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// tell gives the node an order and waits for its report.
func (p *process) tell(o order) report {
	p.t.Helper()
	if err := p.orders.Encode(o); err != nil {
		p.t.Fatalf("node %s: %v", p.setup.Name, err)
	}
	var r report
	if err := p.out.Decode(&r); err != nil {
		p.wait()
		p.t.Fatalf("node %s on %s: %v: %s", p.setup.Name, o.Do, err, p.stderr)
	}
	return r
}

// serving returns the names of the members that may own something, as p sees it.
func (p *process) serving() []string {
	p.t.Helper()
	names := []string{}
	for _, m := range p.tell(order{Do: "members"}).Members {
		if !m.Joining && !m.Draining {
			names = append(names, m.Name)
		}
	}
	return names
}

// agree waits until every node sees exactly all of them serve.
func agree(t *testing.T, nodes ...*process) {
	t.Helper()
	var want []string
	for _, n := range nodes {
		want = append(want, n.setup.Name)
	}
	slices.Sort(want)
	for _, n := range nodes {
		eventually(t, n.setup.Name+" sees all", func() bool { return slices.Equal(n.serving(), want) })
	}
}

// eventually waits for a fact.
func eventually(t *testing.T, what string, fact func() bool) {
	t.Helper()
	for until := time.Now().Add(60 * time.Second); !fact(); {
		if time.Now().After(until) {
			t.Fatalf("not in a minute: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
