package cluster

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	pcluster "github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// kind is the one kind that protoactor's cluster knows: the way in to a node.
const kind = "easel"

const (
	// batch is how many messages protoactor puts into one of gRPC; times the
	// largest, that must stay below frameBytes.
	batch      = 64
	frameBytes = 32 << 20
)

// startEngine makes the actor system and protoactor's cluster, and listens.
func (n *Node) startEngine(at endpoint) error {
	n.proto = actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(quiet{n.log.Handler()}) }),
	)
	n.links = newLinks(n.metrics,
		func(address string) { n.broken(address) },
		func(address string) {
			n.proto.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: address})
		})
	server, client := insecure.NewCredentials(), insecure.NewCredentials()
	if n.secrets != nil {
		server, client = credentials.NewTLS(n.secrets.tls), credentials.NewTLS(n.secrets.tls)
	}
	rc := remote.Configure(at.host, at.port,
		remote.WithEndpointWriterBatchSize(batch),
		remote.WithEndpointWriterQueueSize(1024),
		remote.WithServerOptions(
			grpc.Creds(server),
			grpc.MaxRecvMsgSize(frameBytes),
			grpc.StreamInterceptor(n.serveStream),
			grpc.UnaryInterceptor(n.serveCall),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
			grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 3 * time.Second}),
		),
		remote.WithDialOptions(
			grpc.WithTransportCredentials(client),
			grpc.WithStreamInterceptor(n.links.open),
			grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(frameBytes)),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 2 * time.Second}),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second}),
			grpc.WithNoProxy(),
		),
	)
	rc.Host = bracketed(at.host)
	rc.MaxRetryCount = 1
	up := make(chan error, 1)
	config := pcluster.Configure(kind, &provider{up: up}, &lookup{node: n}, rc,
		pcluster.WithKinds(pcluster.NewKind(kind, actor.PropsFromFunc(func(actor.Context) {}))))
	// Its gossip blocks members for ever, and 0 panics: this is never.
	config.GossipInterval = 10_000 * time.Hour
	n.engine = pcluster.New(n.proto, config)
	// StartMember panics when the port is taken, and sleeps for a second once all
	// is ready.
	n.wg.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				up <- &KeyError{"rpc-bind", fmt.Errorf("start gRPC on %s: %v", at, p)}
			}
		}()
		n.engine.StartMember()
	})
	return <-up
}

// stopEngine ends all links and stops listening. protoactor's own Shutdown sleeps
// for two seconds and panics on what it has not started.
func (n *Node) stopEngine() {
	n.links.close()
	n.engine.Remote.Shutdown(false)
	n.engine.Gossip.Shutdown()
	n.proto.Shutdown()
}

// publish tells protoactor's cluster who the members are. Its MemberList is not
// told: that would block whoever leaves for ever.
func (n *Node) publish(before, after *table) {
	event := &pcluster.ClusterTopology{}
	for _, m := range after.members {
		event.Members = append(event.Members, protoMember(m))
		if _, known := before.runs[m.Incarnation]; !known {
			event.Joined = append(event.Joined, protoMember(m))
		}
	}
	for _, m := range before.members {
		if _, still := after.runs[m.Incarnation]; !still && !m.Self {
			event.Left = append(event.Left, protoMember(m))
		}
	}
	event.TopologyHash = pcluster.TopologyHash(event.Members)
	n.proto.EventStream.Publish(event)
}

func protoMember(m Member) *pcluster.Member {
	host, _, err := net.SplitHostPort(m.RPC)
	if err != nil {
		host = m.RPC
	}
	return &pcluster.Member{Id: m.Incarnation, Host: host, Port: int32(portOf(m.RPC)), Kinds: []string{kind}}
}

// bracketed makes an IPv6 address ready for protoactor, which appends ":PORT".
func bracketed(host string) string {
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return "[" + host + "]"
	}
	return host
}

// provider is protoactor's view of the membership: Node does the work.
type provider struct{ up chan<- error }

// StartMember implements protoactor's ClusterProvider.
func (p *provider) StartMember(*pcluster.Cluster) error {
	p.up <- nil
	return nil
}

// StartClient implements protoactor's ClusterProvider.
func (p *provider) StartClient(*pcluster.Cluster) error { return p.StartMember(nil) }

// Shutdown implements protoactor's ClusterProvider.
func (p *provider) Shutdown(bool) error { return nil }
