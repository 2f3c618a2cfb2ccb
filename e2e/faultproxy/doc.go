// Package faultproxy stands between a node and its S3 server and lets things go
// wrong on the way, as networks, load balancers and stores do: requests are slow,
// get lost before or after the store took them, arrive late or twice, are cut in
// the middle in either direction, or are refused.
//
// A Plan is asked once for each request and may be changed at any time by Use. A
// Proxy is meant for tests: it holds whole requests in memory. It passes
// requests on as they were signed, so the store has to take the proxy's address
// for its own, as S3 servers do.
package faultproxy
