package main

import (
	"errors"
	"net"
	"testing"
	"time"
)

func TestCrowdHasOnlySoManyPlaces(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := newCrowd(l, 2)
	defer c.Close()
	accepted := make(chan net.Conn, 8)
	ended := make(chan error, 1)
	go func() {
		for {
			conn, err := c.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- conn
		}
	}()
	for range 3 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	first, second := <-accepted, <-accepted
	select {
	case <-accepted:
		t.Fatal("a third one was let in")
	case <-time.After(50 * time.Millisecond):
	}
	for range 2 { // a second close frees no second place
		_ = first.Close()
	}
	third := <-accepted
	if _, ok := third.(interface{ CloseWrite() error }); !ok {
		t.Error("a connection cannot be half closed")
	}
	select {
	case <-accepted:
		t.Error("a fourth one was let in")
	default:
	}
	_ = c.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("Accept waits on after the end")
	}
	_, _ = second.Close(), third.Close()
}

func TestConnectionsLeaveFilesForTheRest(t *testing.T) {
	for _, tt := range []struct {
		files uint64
		open  int64
		want  int
	}{
		{20_000, 64 << 20, 20_000 - 595 - otherFiles},
		{1024, 64 << 20, 512},
		{1024, 0, 1024 - otherFiles},
		{1 << 63, 0, 1<<20 - otherFiles},
	} {
		if got := mostConnections(tt.files, tt.open); got != tt.want {
			t.Errorf("of %d files, %d bytes: %d, want %d", tt.files, tt.open, got, tt.want)
		}
	}
}
