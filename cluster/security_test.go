package cluster_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/hashicorp/memberlist"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/easelhq/easel/wire"
)

const secretName = "the-name-nobody-may-learn"

func TestWrongKeyNeitherJoinsNorLearns(t *testing.T) {
	t.Parallel()
	a := launch(t, setup{Name: secretName, Key: newKey(t), Region: secretName, Bind: "127.0.0.1:0"})
	alone := func(n *process) bool { return len(n.tell(order{Do: "members"}).Members) == 1 }
	for _, other := range []setup{
		{Name: "intruder", Key: newKey(t)},
		{Name: "intruder"},
	} {
		other.Join, other.JoinWait = []string{a.gossip}, time.Second
		n := launch(t, other)
		until := time.Now().Add(time.Second)
		for time.Now().Before(until) {
			if !alone(n) || !alone(a) {
				t.Fatal("it has joined")
			}
			time.Sleep(50 * time.Millisecond)
		}
		n.kill()
	}
	// The other way round: the member seeks the stranger.
	stranger := launch(t, setup{Name: "stranger", Key: newKey(t)})
	b := launch(t, setup{Name: "b", Key: a.setup.Key, Join: []string{stranger.gossip, a.gossip}})
	agree(t, a, b)
	if !alone(stranger) {
		t.Error("the stranger knows a member")
	}
}

func TestStrangersLearnNothingFromThePorts(t *testing.T) {
	a := launch(t, setup{Name: secretName, Key: newKey(t), Region: secretName})
	// memberlist without a key asks for all that a member knows.
	c := memberlist.DefaultLocalConfig()
	c.Name, c.BindAddr, c.BindPort, c.AdvertisePort = "s", "127.0.0.1", 0, 0
	c.Logger = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	list, err := memberlist.Create(c)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Shutdown()
	if _, err := list.Join([]string{a.gossip}); err == nil || list.NumMembers() != 1 {
		t.Errorf("it joins: %v", err)
	}
	for _, address := range []string{a.gossip, a.rpc} {
		for _, hello := range [][]byte{nil, []byte("GET / HTTP/1.1\r\n\r\n"), []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), garbage(t, 4096)} {
			if heard := say(t, address, hello); bytes.Contains(heard, []byte(secretName)) {
				t.Errorf("%s tells its name to who says %q", address, hello)
			}
		}
	}
	// TLS shows the server's certificate to everybody, before it asks for one.
	for who, shown := range map[string]*tls.Certificate{
		"a client without a certificate":                        {},
		"a client that has made a cluster's certificate itself": forged(t),
	} {
		conn, err := tls.Dial("tcp", a.rpc, &tls.Config{
			InsecureSkipVerify: true, NextProtos: []string{"h2"},
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shown, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, cert := range conn.ConnectionState().PeerCertificates {
			if bytes.Contains(cert.Raw, []byte(secretName)) {
				t.Error("the certificate has the node's name")
			}
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadAll(conn); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s is told %v", who, err)
		}
	}
}

// forged returns a certificate as nodes have them, by an authority of the same name
// that does not know the key.
func forged(t *testing.T) *tls.Certificate {
	t.Helper()
	authority, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "easel-cluster"}, NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "easel-node"}, DNSNames: []string{"easel-node"},
		NotAfter: root.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	out := &tls.Certificate{PrivateKey: private}
	for _, c := range []struct {
		of  *x509.Certificate
		key ed25519.PublicKey
	}{{leaf, public}, {root, authority}} {
		der, err := x509.CreateCertificate(rand.Reader, c.of, root, c.key, secret)
		if err != nil {
			t.Fatal(err)
		}
		out.Certificate = append(out.Certificate, der)
	}
	return out
}

func garbage(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// say sends hello to address and returns what comes back until the other end has
// had enough.
func say(t *testing.T, address string, hello []byte) []byte {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(500 * time.Millisecond))
	_, _ = conn.Write(hello)
	_ = conn.(*net.TCPConn).CloseWrite()
	heard, _ := io.ReadAll(conn)
	return heard
}

// TestHostilePeerCrashesNothing speaks to a node that trusts its machine, as
// somebody with the key could to one that has it.
func TestHostilePeerCrashesNothing(t *testing.T) {
	a, b := pair(t)
	conn, err := grpc.NewClient(a.rpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := remote.NewRemotingClient(conn)
	if _, err := client.ListProcesses(t.Context(), &remote.ListProcessesRequest{}); err == nil {
		t.Error("processes are listed")
	}
	if _, err := client.GetProcessDiagnostics(t.Context(), &remote.GetProcessDiagnosticsRequest{}); err == nil {
		t.Error("diagnostics are given")
	}
	one := func(typeName, target string, m proto.Message) *remote.RemoteMessage {
		data, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return batch(&remote.MessageBatch{
			TypeNames: []string{typeName}, Targets: []string{target}, Envelopes: []*remote.MessageEnvelope{{MessageData: data}},
		})
	}
	origin := &wire.Origin{Node: "x", Incarnation: "x", Address: "127.0.0.1:1"}
	ask := &wire.Request{
		Version: 1, Id: 1, Origin: origin, To: &wire.Actor{Kind: "any", Id: "x"},
		Payload: &wire.Payload{Name: "test.echo", Body: []byte(`{`), Size: 1},
	}
	for name, m := range map[string]*remote.RemoteMessage{
		"nothing":                {},
		"a second greeting":      greeting("x"),
		"a disconnect":           {MessageType: &remote.RemoteMessage_DisconnectRequest{DisconnectRequest: &remote.DisconnectRequest{}}},
		"an empty batch":         batch(&remote.MessageBatch{}),
		"a type that is none":    batch(&remote.MessageBatch{Targets: []string{"easel/credit"}, Envelopes: []*remote.MessageEnvelope{{TypeId: 9}}}),
		"a target that is none":  batch(&remote.MessageBatch{TypeNames: []string{"easel.wire.v1.Credit"}, Envelopes: []*remote.MessageEnvelope{{Target: 9}}}),
		"a negative target":      batch(&remote.MessageBatch{TypeNames: []string{"easel.wire.v1.Credit"}, Envelopes: []*remote.MessageEnvelope{{Target: -9}}}),
		"stop to an actor":       one("actor.Stop", "easel/requests/0", &actor.Stop{}),
		"stop to protoactor":     one("actor.Stop", "activator", &actor.Stop{}),
		"a spawn":                one("remote.ActorPidRequest", "activator", &remote.ActorPidRequest{Kind: "x"}),
		"terminated":             one("actor.Terminated", "easel/requests/0", &actor.Terminated{Who: &actor.PID{}}),
		"a type of nobody":       one("easel.wire.v1.Nothing", "easel/requests/0", &wire.Credit{}),
		"an actor of nobody":     one("easel.wire.v1.Credit", "easel/nobody", &wire.Credit{}),
		"an empty request":       one("easel.wire.v1.Request", "easel/requests/0", &wire.Request{}),
		"an empty answer":        one("easel.wire.v1.Answer", "easel/answers/0", &wire.Answer{}),
		"an empty part":          one("easel.wire.v1.Part", "easel/requests/0", &wire.Part{}),
		"an empty credit":        one("easel.wire.v1.Credit", "easel/credit", &wire.Credit{}),
		"a request cut off":      one("easel.wire.v1.Request", "easel/requests/0", ask),
		"a request to elsewhere": one("easel.wire.v1.Request", "easel/credit", ask),
		"garbage": batch(&remote.MessageBatch{
			TypeNames: []string{"easel.wire.v1.Request"}, Targets: []string{"easel/requests/1"},
			Envelopes: []*remote.MessageEnvelope{{MessageData: garbage(t, 100)}},
		}),
	} {
		for _, greets := range []bool{true, false} {
			send(t, client, name, greets, m)
		}
	}
	for range 20 {
		say(t, a.rpc, garbage(t, 2000))
		say(t, a.gossip, garbage(t, 2000))
		if c, err := net.Dial("udp", a.gossip); err == nil {
			_, _ = c.Write(garbage(t, 1000))
			c.Close()
		}
	}
	for _, n := range []struct{ from, to *process }{{a, b}, {b, a}} {
		if r := n.from.tell(order{Do: "echo", Node: n.to.setup.Name, ID: "x"}); r.By != n.to.setup.Name {
			t.Errorf("afterwards %s is answered %+v", n.from.setup.Name, r)
		}
	}
	if m := a.tell(order{Do: "metrics"}).Metrics; m["easel_cluster_malformed_total"] < 10 {
		t.Errorf("%v malformed messages are counted", m["easel_cluster_malformed_total"])
	}
}

func batch(b *remote.MessageBatch) *remote.RemoteMessage {
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}
}

func greeting(id string) *remote.RemoteMessage {
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{MemberId: id, Address: "127.0.0.1:1"}},
	}}}
}

// send opens a stream, sends m and waits until it is taken or refused.
func send(t *testing.T, client remote.RemotingClient, name string, greets bool, m *remote.RemoteMessage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := client.Receive(ctx)
	if err != nil {
		t.Fatalf("%s: the node takes no stream any more: %v", name, err)
	}
	if greets {
		if err := s.Send(greeting("hostile")); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := s.Recv(); err != nil {
			t.Fatalf("%s: no answer to the greeting: %v", name, err)
		}
	}
	_ = s.Send(m)
	_ = s.CloseSend()
	for {
		if _, err := s.Recv(); err != nil {
			return
		}
	}
}
