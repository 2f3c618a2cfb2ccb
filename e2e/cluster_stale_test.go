package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// told is what writers were told: when which version was acknowledged at the latest.
type told struct {
	mu   sync.Mutex
	acks []ack // in order of both
}

type ack struct {
	at  time.Time
	ver int64
}

func (k *told) note(ver int64) {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.acks = append(k.acks, ack{now, ver})
}

// before returns the newest version that was acknowledged before a time.
func (k *told) before(at time.Time) (ver int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range k.acks {
		if a.at.Before(at) {
			ver = max(ver, a.ver)
		}
	}
	return ver
}

// TestClusterPartitionBoundsReads cuts a node off on which people watch an image,
// while the others write to it. What the cut-off node answers is no staler than
// docs/protocol.md says: with X-Easel-Read: local as old as it says and at most five
// seconds, and else not at all.
func TestClusterPartitionBoundsReads(t *testing.T) {
	t.Parallel()
	if *clusterCuts == 1 {
		t.Skip("it takes 12 s for each kind of partition: -cluster.cuts 4")
	}
	peers := func(c *country, do func(int, string)) { c.between(do, 0, 1); c.between(do, 0, 2) }
	store := func(c *country, do func(int, string)) { do(0, c.storehouse()) }
	cuts := []struct {
		name string
		cut  func(c *country, do func(int, string))
	}{
		{"from the others", peers},
		{"from the store", store},
		{"from both", func(c *country, do func(int, string)) { peers(c, do); store(c, do) }},
		{"one way", func(c *country, do func(int, string)) { do(1, c.address(0)); do(2, c.address(0)) }},
	}
	for _, tt := range cuts[:min(*clusterCuts, len(cuts))] {
		t.Run(tt.name, func(t *testing.T) {
			c := newCountry(t, 3)
			c.up(t)
			const here = "n1"
			var row imageRow
			for i := 0; ; i++ { // one that the others own
				row = c.api("n2").upload(t, "stale.png", picture(20, 20, byte(i)))
				if c.owner(t, row.ID) != here {
					break
				}
			}
			list := "/api/annotations/by-image/" + row.ID
			near := c.api(here)
			s, err := near.dial(t.Context(), row.ID, "watcher", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			go func() { // it takes what it is sent, until it is closed
				for {
					if _, err := s.next(); err != nil {
						return
					}
				}
			}()
			var (
				known   told
				working sync.WaitGroup
			)
			ctx, stop := context.WithCancel(t.Context())
			defer working.Wait()
			defer stop()
			far := c.api("n2")
			working.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					got, err := far.do(ctx, "POST", "/api/annotations", drawingOf(row.ID, "far-"+strconv.Itoa(i)))
					if err != nil || got.status != http.StatusCreated {
						continue // nobody was told
					}
					if ver, ok := versionOf(got); ok {
						known.note(ver)
					}
					breathe(ctx.Done())
				}
			})
			eventually(t, "somebody writes", func() error { return atLeast(int(known.before(time.Now())), 20) })
			// look reads and compares with what was acknowledged by then. It returns the age
			// of what it was told; ok is false if it was told nothing.
			look := func(header ...string) (age time.Duration, ok bool) {
				ctx, end := context.WithTimeout(ctx, 3*time.Second)
				defer end()
				began := time.Now()
				got, err := near.do(ctx, "GET", list, nil, header...)
				if err != nil || got.status == http.StatusServiceUnavailable {
					return 0, false
				}
				if len(header) > 0 {
					ms, err := strconv.Atoi(got.header.Get("X-Easel-Age"))
					if age = time.Duration(ms+1) * time.Millisecond; err != nil || ms > 5000 {
						t.Errorf("X-Easel-Age is %q", got.header.Get("X-Easel-Age"))
					}
				}
				ver, versioned := versionOf(got)
				if least := known.before(began.Add(-age)); got.status != http.StatusOK || !versioned || ver < least {
					t.Errorf("%v: %d, version %d, %s old; %d was acknowledged before that", header, got.status, ver, age, least)
				}
				return age, true
			}
			// watch looks in both ways until a time.
			watch := func(d time.Duration) (local, current int, oldest time.Duration) {
				var looking sync.WaitGroup
				until := time.Now().Add(d)
				looking.Go(func() {
					for time.Now().Before(until) {
						if _, ok := look(); ok {
							current++
						}
						breathe(ctx.Done())
					}
				})
				for time.Now().Before(until) {
					if age, ok := look("X-Easel-Read", "local"); ok {
						local++
						oldest = max(oldest, age)
					}
					breathe(ctx.Done())
				}
				looking.Wait()
				return local, current, oldest
			}
			if local, current, _ := watch(time.Second); local == 0 || current == 0 {
				t.Errorf("%d local reads and %d others were answered before: this test saw too little", local, current)
			}
			tt.cut(c, c.lose)
			before := known.before(time.Now())
			local, current, oldest := watch(7 * time.Second)
			during := known.before(time.Now()) - before
			tt.cut(c, c.pass)
			t.Logf("cut off: %d local reads, up to %s old, %d others, %d versions acknowledged elsewhere", local, oldest, current, during)
			if local == 0 {
				t.Error("no local read was answered while the node was cut off: this test saw nothing")
			}
			c.agree(t)
			eventually(t, "all is as before", func() error {
				got, err := near.do(t.Context(), "GET", list, nil, "X-Easel-Read", "local")
				if err == nil && got.status != http.StatusOK {
					err = fmt.Errorf("%s", got)
				}
				return err
			})
		})
	}
}

// versionOf returns VER of X-Easel-Version.
func versionOf(a answer) (int64, bool) {
	_, digits, _ := strings.Cut(a.header.Get("X-Easel-Version"), ":")
	ver, err := strconv.ParseInt(digits, 10, 64)
	return ver, err == nil
}
