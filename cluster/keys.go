package cluster

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// KeyBytes is the length of a cluster key.
const KeyBytes = 32

// secrets are what a cluster key gives: one key for gossip, and the means to know
// a node of the same cluster on a TCP connection.
type secrets struct {
	gossip []byte
	tls    *tls.Config // for both ends
}

// nodeName is the one name in all certificates. It says nothing of the node: who
// connects without the key still sees the server's certificate.
const nodeName = "easel-node"

func newSecrets(key []byte) (*secrets, error) {
	if len(key) != KeyBytes {
		return nil, fmt.Errorf("cluster: cluster-key has %d bytes; it needs %d", len(key), KeyBytes)
	}
	gossip, err := hkdf.Key(sha256.New, key, nil, "easel gossip v1", 32)
	if err != nil {
		return nil, fmt.Errorf("derive gossip key: %w", err)
	}
	seed, err := hkdf.Key(sha256.New, key, nil, "easel node authority v1", ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("derive authority: %w", err)
	}
	config, err := mutual(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		return nil, err
	}
	return &secrets{gossip: gossip, tls: config}, nil
}

// mutual returns a TLS configuration whose two ends both show a leaf of
// authority. Each process mints its own leaf and never stores it. Certificates do
// not expire: their keys live as long as the process, and nodes may disagree about
// the time.
func mutual(authority ed25519.PrivateKey) (*tls.Config, error) {
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "easel-cluster"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, authority.Public(), authority)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	if root, err = x509.ParseCertificate(rootDER); err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make node key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make serial: %w", err)
	}
	leaf := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: nodeName}, DNSNames: []string{nodeName},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, public, authority)
	if err != nil {
		return nil, fmt.Errorf("make node certificate: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leafDER}, PrivateKey: private}},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool,
		RootCAs:      pool,
		ServerName:   nodeName,
		// A ticket would let a client in without its certificate being looked at.
		SessionTicketsDisabled: true,
	}, nil
}
