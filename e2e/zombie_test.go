package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/easelhq/easel/e2e/tally"
)

func zombieFlags() *int {
	return flag.Int("zombie.rounds", 3, "how often TestZombieOnS3 pauses a node")
}

var zombieRounds = zombieFlags()

// TestZombieOnS3 pauses a node with SIGSTOP, lets another one on the same bucket
// take over and write, and lets the first one go on, which does not know. Whatever
// either of them acknowledges must be there, once, for a third.
func TestZombieOnS3(t *testing.T) {
	t.Parallel()
	store := homeOn(startS3(t, *s3Server))
	root := t.TempDir()
	secret := secretFlag()
	bearer := token(t, root, "--tenant=zombies", "--user=tester", "--role=admin", secret)
	nodes := 0
	next := func() *node {
		nodes++
		return start(t, filepath.Join(root, fmt.Sprint(nodes)), "--store="+store, secret)
	}
	n := next()
	image := newAPI(n.base, bearer).upload(t, "zombie.png", picture(40, 30, 1)).ID
	acked, shown := map[string]bool{}, map[string]bool{}
	write := func(n *node, what string) {
		label := fmt.Sprintf("%s-%d", what, len(acked))
		drawUntilDecided(t, newAPI(n.base, bearer), image, label)
		acked[label] = true
	}
	began := time.Now()
	report := &tally.Report{Suite: "zombie, " + *s3Server, Rounds: *zombieRounds}
	defer func() { tell(t, report) }()
	for round := range *zombieRounds {
		for range 5 {
			write(n, "before")
		}
		stall := make(chan []string) // what was acknowledged of them
		go func() {                  // requests that are on their way when the node is paused
			var told []string
			defer func() { stall <- told }()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			a := newAPI(n.base, bearer)
			for i := range 20 {
				label := fmt.Sprintf("unknown-%d-%d", round, i)
				got, err := a.do(ctx, "POST", "/api/annotations", raw(drawing(image, label, "")))
				if err == nil && got.status == http.StatusCreated {
					told = append(told, label)
				}
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
		// Its first answer shows all that the other has acknowledged meanwhile.
		for label, n := range count(readUntilAnswered(t, newAPI(n.base, bearer), image)) {
			if n != 1 {
				t.Errorf("round %d: the zombie shows %s %d times", round+1, label, n)
			}
			shown[label] = true
		}
		for label := range acked {
			if !shown[label] {
				t.Errorf("round %d: the zombie does not show %s, which was acknowledged", round+1, label)
			}
		}
		for range 5 { // they take the image from each other now
			write(n, "zombie")
			write(other, "owner")
		}
		for _, label := range <-stall {
			acked[label] = true
		}
		n.kill()
		other.kill()
		n = next()
		seen := count(labels(t, newAPI(n.base, bearer), image))
		for label := range shown {
			if seen[label] != 1 {
				t.Errorf("round %d: %s was shown and is there %d times", round+1, label, seen[label])
			}
		}
		report.Round, report.Acked = round+1, len(acked)
		for label := range acked {
			switch n := seen[label]; {
			case n == 0:
				report.Lost++
			case n > 1:
				report.Double++
			}
			if seen[label] != 1 {
				t.Errorf("round %d: %s was acknowledged and is there %d times", round+1, label, seen[label])
			}
		}
		report.Count(map[string]int{"SIGSTOP": 1, "SIGKILL": 2})
		tell(t, report)
		if t.Failed() {
			return
		}
		if timeIsUp(began) {
			break
		}
	}
	t.Logf("%d rounds, %d writes acknowledged, each there once", report.Round, len(acked))
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

func count(labels []string) map[string]int {
	n := map[string]int{}
	for _, label := range labels {
		n[label]++
	}
	return n
}

// readUntilAnswered lists the labels of an image, again if the node cannot say.
func readUntilAnswered(t *testing.T, a *api, image string) (out []string) {
	t.Helper()
	eventually(t, "an answer to a list", func() error {
		got, err := a.do(t.Context(), "GET", "/api/annotations/by-image/"+image, nil)
		if err != nil {
			return err
		}
		if got.status != http.StatusOK {
			return fmt.Errorf("%s", got)
		}
		out, err = labelsOf(got)
		return err
	})
	return out
}

func labels(t *testing.T, a *api, image string) []string {
	t.Helper()
	out, err := labelsOf(a.must(t, http.StatusOK, "GET", "/api/annotations/by-image/"+image, nil))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// labelsOf reads the labels in a list.
func labelsOf(list answer) ([]string, error) {
	var out struct {
		Annotations []struct{ Label string }
	}
	if err := list.into(&out); err != nil {
		return nil, err
	}
	all := make([]string, len(out.Annotations))
	for i, one := range out.Annotations {
		all[i] = one.Label
	}
	return all, nil
}
