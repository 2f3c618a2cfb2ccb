// Package client speaks with Easel from Go: its HTTP API in the nouns of the root
// package, and the live socket of an image with everything that keeps it alive.
//
//	c, err := client.New(client.Config{URL: "https://easel.example", Token: token})
//	image, err := c.Upload(ctx, "cat.png", file)
//	live, err := c.Live(ctx, image.ID, client.LiveConfig{})
//	ack, err := live.Do(ctx, client.Put(easel.Draft{…}))
//
// # Guarantees
//
//   - A write is repeated until its outcome is known or its context ends, and takes
//     effect once: by an Idempotency-Key over HTTP, by its seq on a socket.
//   - A Live has at every moment the annotations of one version of its image, never
//     older than an Ack that it has returned, and follows all versions in order.
//   - What a Live is asked to do happens in the order of the calls.
//
// Errors of the server are *easel.Error with the protocol's codes. A Client and a
// Live may be used by many goroutines at once.
//
// It does not keep anything on disk: a program that must not lose what it has not
// yet sent keeps that itself, with ids of its own choice, and puts it again.
package client
