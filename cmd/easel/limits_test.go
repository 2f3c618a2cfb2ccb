package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestTenantLimitsReachTheRooms(t *testing.T) {
	dir := t.TempDir()
	url, _, _ := startProgram(t, "--data="+dir, "--tenant-sockets=1", "--tenant-ops=500")
	s := newSite(t, url, dir, "ada")
	first, second := s.image(), s.image()
	c, _ := s.live(first)
	s.say(c, `{"t":"hello","client":"tab"}`, "snap")
	if other, status := s.live(second); other != nil || status != http.StatusTooManyRequests {
		t.Errorf("a second socket of the tenant: %d", status)
	}
	put := `{"k":"put","annotation":{"label":"a","x":0,"y":0,"width":1,"height":1}}`
	ops := put + strings.Repeat(","+put, 499)
	s.say(c, `{"t":"op","seq":1,"ops":[`+ops+`]}`, "ack")
	s.say(c, `{"t":"op","seq":2,"ops":[`+ops+`]}`, "rej")
}
