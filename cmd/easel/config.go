package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"time"
)

// Config is everything that can be set, by part. Config.options names the keys.
type Config struct {
	HTTP     HTTPConfig
	Store    StoreConfig
	Identity IdentityConfig
	Cluster  ClusterConfig
	Limits   LimitConfig
	Life     LifeConfig
	Log      LogConfig
	Dev      bool // sign in a demo user and print the page's address
}

// HTTPConfig is the node's edge.
type HTTPConfig struct {
	Addr    string   // host:port; port 0 chooses a free one
	Origins []string // besides the server's own
	Public  string   // scheme and host that clients use; "" believes each request
	TLSCert string   // file; "" serves plain HTTP
	TLSKey  string
	Drain   time.Duration // the longest a SIGTERM may take
}

// StoreConfig says where things are kept.
type StoreConfig struct {
	Data   string // the working folder of this node
	Home   string // dir:PATH or s3://BUCKET/PREFIX?…; "" is dir:<data>/store
	Node   string // "" reads or makes <data>/node
	Region string
}

// IdentityConfig says whose tokens are believed.
type IdentityConfig struct {
	Secrets  []string // HS256; the first signs, all verify; none: <data>/jwt-secret
	JWKS     string   // URL of RS256, ES256 and EdDSA keys; "" for none
	Issuer   string   // "" is not checked
	Audience string   // "" is not checked
}

// ClusterConfig says how nodes find and reach each other.
type ClusterConfig struct {
	Bind      string // gossip; "" for a node that is alone
	Join      []string
	Advertise string
	RPC       string
	Key       []byte // 32 bytes; nil for none
	Zone      string
	Weight    float64
}

// LimitConfig holds what one client, image, tenant or request may take.
type LimitConfig struct {
	Upload           int64 // bytes of one uploaded image
	File             int64 // bytes of one file under /api/files
	Body             int64 // bytes of any other request body
	ClientOps        int   // a second
	ClientBurst      int
	ClientPresence   int // frames a second
	ImageOps         int // a second
	ImageSockets     int
	ImageAnnotations int
	TenantOps        int // a second
	TenantSockets    int
	TenantBytes      int64
	TenantImages     int
}

// LifeConfig says how long things are kept.
type LifeConfig struct {
	Retention   time.Duration // between an image's soft delete and its purge
	History     time.Duration // for how long past states can be read and brought back
	OpLog       int           // batches that an image's file keeps; older ones are objects
	Chores      string        // cron schedule of purge and sweep, UTC; "off" for none
	CloseAfter  time.Duration // idle time after which an actor's file is closed
	GiveUpAfter time.Duration // idle time after which an actor is released
	OpenFiles   int64         // bytes of memory for open actor files
	WorkFiles   int64         // bytes on disk for actors' working copies
	Linger      time.Duration // how long a commit waits for others to share its object in a bucket
}

// LogConfig says what is written to stderr.
type LogConfig struct {
	Level  slog.Level
	Format string // "text" or "json"
}

// option is one key: the flag --name, the environment variable EASEL_NAME and
// the key name of the config file.
type option struct {
	name  string
	value string // what a value looks like, for the help; "" for a switch
	def   string // the default, as it would be typed
	usage string
	set   func(text string) error
}

// options returns every key with a setter that fills c, in the order in which
// they are documented.
func (c *Config) options() []option {
	var out []option
	out = append(out, c.edgeOptions()...)
	out = append(out, c.clusterOptions()...)
	out = append(out, c.limitOptions()...)
	return append(out, c.lifeOptions()...)
}

func (c *Config) edgeOptions() []option {
	return []option{
		{"addr", "HOST:PORT", "127.0.0.1:8080", "where to serve HTTP, WebSocket and SSE; port 0 takes a free one", hostPort(&c.HTTP.Addr)},
		{"data", "DIR", "./data", "this node's working folder; a cache when the store is remote", filled(&c.Store.Data)},
		{"store", "URL", "", "the durable home: dir:PATH, or s3://BUCKET/PREFIX?endpoint=URL&region=R (default dir:<data>/store)", home(&c.Store.Home)},
		{"node", "NAME", "", "node name, unique and stable (default: host name + random, kept in <data>/node)", nodeName(&c.Store.Node)},
		{"region", "NAME", "local", "where this node is", nodeName(&c.Store.Region)},
		{"jwt-secret", "SECRETS", "", "HS256 secrets of at least 32 bytes, comma-separated: the first signs, all verify (default: made at first start, kept in <data>/jwt-secret)", secrets(&c.Identity.Secrets)},
		{"jwks-url", "URL", "", "where to get RS256, ES256 and EdDSA keys", webURL(&c.Identity.JWKS)},
		{"jwt-issuer", "ISSUER", "", "the iss that tokens must have; unset checks none", text(&c.Identity.Issuer)},
		{"jwt-audience", "AUDIENCE", "", "the aud that tokens must have; unset checks none", text(&c.Identity.Audience)},
		{"origins", "ORIGINS", "", "comma-separated origins of other sites that may call the API and open sockets (default: same origin only)", origins(&c.HTTP.Origins)},
		{"public-url", "URL", "", "scheme and host under which clients reach the node, if not as they say themselves", origin(&c.HTTP.Public)},
		{"tls-cert", "FILE", "", "certificate chain (PEM); with --tls-key serves HTTPS", text(&c.HTTP.TLSCert)},
		{"tls-key", "FILE", "", "private key (PEM) of --tls-cert", text(&c.HTTP.TLSKey)},
		{"dev", "", "false", "sign in a demo user, load sample images and print the page's address", boolean(&c.Dev)},
	}
}

func (c *Config) clusterOptions() []option {
	return []option{
		{"cluster-bind", "HOST:PORT", "", "gossip address; makes this node a cluster member", hostPort(&c.Cluster.Bind)},
		{"cluster-join", "ADDRS", "", "comma-separated gossip addresses of any members", hostPorts(&c.Cluster.Join)},
		{"advertise", "HOST", "", "the host that other nodes reach this one at (default: the bind host)", text(&c.Cluster.Advertise)},
		{"rpc-bind", "HOST:PORT", "", "actor-to-actor gRPC (default: the cluster host, port 0)", hostPort(&c.Cluster.RPC)},
		{"cluster-key", "BASE64", "", "32 bytes, base64: encrypts and authenticates traffic between nodes", key32(&c.Cluster.Key)},
		{"zone", "NAME", "", "where in its region this node is, for operators", nodeName(&c.Cluster.Zone)},
		{"weight", "N", "1", "this node's share of the actors, relative to the others'", weight(&c.Cluster.Weight)},
	}
}

func (c *Config) limitOptions() []option {
	l := &c.Limits
	return []option{
		{"max-upload", "SIZE", "10MiB", "largest image", size(&l.Upload, 1)},
		{"max-file", "SIZE", "5GiB", "largest file under /api/files", size(&l.File, 1)},
		{"max-body", "SIZE", "1MiB", "largest body of any other request", size(&l.Body, 1<<10)},
		{"client-ops", "N", "500", "ops a second of one client", count(&l.ClientOps)},
		{"client-burst", "N", "2000", "ops that one client may send at once", count(&l.ClientBurst)},
		{"client-presence", "N", "30", "presence frames a second of one client", count(&l.ClientPresence)},
		{"image-ops", "N", "5000", "ops a second on one image", count(&l.ImageOps)},
		{"image-sockets", "N", "1000", "live connections to one image", count(&l.ImageSockets)},
		{"image-annotations", "N", "100000", "annotations on one image", count(&l.ImageAnnotations)},
		{"tenant-ops", "N", "20000", "ops a second of one tenant", count(&l.TenantOps)},
		{"tenant-sockets", "N", "10000", "live connections of one tenant", count(&l.TenantSockets)},
		{"tenant-bytes", "SIZE", "100GiB", "images and files of one tenant", size(&l.TenantBytes, 1)},
		{"tenant-images", "N", "1000000", "images of one tenant", count(&l.TenantImages)},
	}
}

func (c *Config) lifeOptions() []option {
	l := &c.Life
	return []option{
		{"retention", "DURATION", "720h", "how long a deleted image can be restored before it is purged", duration(&l.Retention, 0)},
		{"history", "DURATION", "720h", "how long an image's past states can be read and brought back", duration(&l.History, 0)},
		{"op-log", "N", "10000", "batches that an image's file keeps for clients that come back; older ones go to objects in the store", count(&l.OpLog)},
		{"chores", "CRON", "17 3 * * *", "when to purge and sweep, as a cron schedule in UTC; off for never", schedule(&l.Chores)},
		{"idle-close", "DURATION", "45s", "idle time after which an actor's file is closed", duration(&l.CloseAfter, time.Second)},
		{"idle-release", "DURATION", "10m", "idle time after which an actor is released", duration(&l.GiveUpAfter, time.Second)},
		{"open-files-memory", "SIZE", "64MiB", "memory for open actor files", size(&l.OpenFiles, 1<<20)},
		{"working-files", "SIZE", "10GiB", "disk for working copies; beyond it the least recently used are deleted and read from the store again at need", size(&l.WorkFiles, 1<<20)},
		{"linger", "DURATION", "0s", "how long a commit waits for others to share its object, when the store is a bucket: fewer requests, later answers", duration(&l.Linger, 0)},
		{"drain-timeout", "DURATION", "25s", "the longest that SIGTERM waits for work under way", duration(&c.HTTP.Drain, 0)},
		{"log-level", "LEVEL", "info", "debug, info, warn or error", level(&c.Log.Level)},
		{"log-format", "FORMAT", "text", "text or json", oneOf(&c.Log.Format, "text", "json")},
	}
}

// home returns the store's URL, with the default filled in.
func (s StoreConfig) home() string {
	if s.Home == "" {
		return "dir:" + filepath.Join(s.Data, "store")
	}
	return s.Home
}

// remote reports whether the home is in a bucket.
func (s StoreConfig) remote() bool { return strings.HasPrefix(s.home(), "s3:") }
