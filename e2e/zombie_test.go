package e2e_test

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func zombieFlags() *int {
	return flag.Int("zombie.rounds", 3, "how often TestZombieOnS3 pauses a node")
}

var zombieRounds = zombieFlags()

// TestZombieOnS3 pauses a node with SIGSTOP, lets another one on the same bucket
// take over and write, and lets the first one go on, which does not know. Whatever
// either of them acknowledges must be there, once, for a third.
func TestZombieOnS3(t *testing.T) {
	store := startS3(t)
	root := t.TempDir()
	secret := "--jwt-secret=" + base64.StdEncoding.EncodeToString([]byte("a secret that no folder keeps, of 40 B.."))
	bearer := token(t, root, "--tenant=zombies", "--user=tester", "--role=admin", secret)
	nodes := 0
	next := func() *node {
		nodes++
		return start(t, filepath.Join(root, fmt.Sprint(nodes)), "--store="+store, secret)
	}
	n := next()
	image := newAPI(n.base, bearer).upload(t, "zombie.png", picture(40, 30, 1)).ID
	acked := map[string]bool{}
	write := func(n *node, what string) {
		label := fmt.Sprintf("%s-%d", what, len(acked))
		drawUntilDecided(t, newAPI(n.base, bearer), image, label)
		acked[label] = true
	}
	for round := range *zombieRounds {
		for range 5 {
			write(n, "before")
		}
		stall := make(chan struct{})
		go func() { // requests that are on their way when the node is paused
			defer close(stall)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			a := newAPI(n.base, bearer)
			for i := range 20 {
				_, _ = a.do(ctx, "POST", "/api/annotations", raw(drawing(image, fmt.Sprintf("unknown-%d-%d", round, i), "")))
			}
		}()
		if err := n.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		other := next()
		for range 5 {
			write(other, "taken-over")
		}
		if err := n.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		for range 5 { // they take the image from each other now
			write(n, "zombie")
			write(other, "owner")
		}
		<-stall
		n.kill()
		other.kill()
		n = next()
		seen := map[string]int{}
		for _, label := range labels(t, newAPI(n.base, bearer), image) {
			seen[label]++
		}
		for label := range acked {
			if seen[label] != 1 {
				t.Errorf("round %d: %s was acknowledged and is there %d times", round+1, label, seen[label])
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d rounds, %d writes acknowledged, each there once", *zombieRounds, len(acked))
}

// drawUntilDecided makes an annotation, again if the outcome is unknown.
func drawUntilDecided(t *testing.T, a *api, image, label string) {
	t.Helper()
	eventually(t, "an answer for "+label, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		got, err := a.do(ctx, "POST", "/api/annotations", raw(drawing(image, label, "")), "Idempotency-Key", label)
		if err != nil {
			return err
		}
		if got.status == http.StatusConflict || !decided(got.status) {
			return fmt.Errorf("%s", got)
		}
		if got.status != http.StatusCreated {
			t.Fatalf("%s: %s", label, got)
		}
		return nil
	})
}

func labels(t *testing.T, a *api, image string) []string {
	t.Helper()
	var out struct {
		Annotations []struct{ Label string }
	}
	if err := a.must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+image, nil).into(&out); err != nil {
		t.Fatal(err)
	}
	all := make([]string, len(out.Annotations))
	for i, one := range out.Annotations {
		all[i] = one.Label
	}
	return all
}
