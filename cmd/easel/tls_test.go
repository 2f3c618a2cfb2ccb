package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// certificate writes a key and its certificate for 127.0.0.1 and returns the
// flags that use them, and who trusts them.
func certificate(t *testing.T) (flags []string, trust *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return []string{
		"--tls-cert=" + writeFile(t, "cert.pem", string(certPEM)),
		"--tls-key=" + writeFile(t, "key.pem", string(keyPEM)),
	}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func TestProgramServesHTTPSAndSecureSockets(t *testing.T) {
	flags, trust := certificate(t)
	url, _, out := startProgram(t, append(flags, "--data="+t.TempDir())...)
	secure := strings.Replace(url, "http://", "https://", 1)
	if !strings.Contains(out.String(), "easel: listening on "+secure+"\n") {
		t.Errorf("stdout %q", out)
	}
	transport := &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	res, err := client.Get(secure + "/health")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.ProtoMajor != 2 {
		t.Errorf("got %s over %s", res.Status, res.Proto)
	}
	// A socket of nobody is refused by status, after TLS and over HTTP/1.1.
	dialer := websocket.Dialer{TLSClientConfig: trust.Clone(), Subprotocols: []string{"easel.v1"}}
	_, res, err = dialer.Dial(strings.Replace(secure, "https", "wss", 1)+"/api/images/"+strings.Repeat("0", 32)+"/live", nil)
	if err == nil || res == nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %v, %v", res, err)
	}
}

func TestDoorSaysThatTheNodeIsStarting(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := openDoor(l, newLogger(LogConfig{}, &output{}))
	url := "http://" + l.Addr().String()
	for _, path := range []string{"/ready", "/api/images"} {
		if got := status(t, url+path); got != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", path, got)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
