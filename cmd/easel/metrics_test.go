package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestMetricsTellWhatAnOperatorAsks(t *testing.T) {
	dir := t.TempDir()
	url, _, _ := startProgram(t, "--data="+dir)
	s := newSite(t, url, dir, "ada")
	image := s.image()
	c, _ := s.live(image)
	s.say(c, `{"t":"hello","client":"tab"}`, "snap")
	s.say(c, `{"t":"op","seq":1,"ops":[{"k":"put","annotation":{"label":"a","x":0,"y":0,"width":1,"height":1}}]}`, "ack")
	if res := s.do(http.MethodGet, "/api/annotations/by-image/"+image, "", nil); res.StatusCode != http.StatusOK {
		t.Fatalf("list: %d", res.StatusCode)
	}
	text := ""
	for deadline := time.Now().Add(10 * time.Second); ; { // the alarm that reads the size takes a moment
		res, err := http.Get(url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		text = string(b)
		if strings.Contains(text, "easel_actors_alarms_total{") || time.Now().After(deadline) {
			break
		}
	}
	for what, line := range map[string]string{
		"latency of each route": `easel_http_request_seconds_bucket\{method="GET",route="/api/annotations/by-image/\{imageId\}",status="200",le="[0-9.e-]+"\} 1`,
		"requests in flight":    `easel_http_requests_in_flight [1-9]`,
		"turns, batch sizes":    `easel_actors_batch_messages_count\{kind="image"\} [1-9]`,
		"commits":               `easel_actors_commit_seconds_count\{kind="image"\} [1-9]`,
		"wait for a turn":       `easel_actors_mailbox_wait_seconds_count\{kind="image"\} [1-9]`,
		"wait at the gate":      `easel_actors_gate_wait_seconds_count\{kind="image"\} [1-9]`,
		"latency of appends":    `easel_journal_append_seconds_count [1-9]`,
		"latency of syncs":      `easel_journal_sync_seconds_count [1-9]`,
		"size of groups":        `easel_journal_group_batches_count [1-9]`,
		"open actors":           `easel_actors_open\{kind="image"\} 1`,
		"owned actors":          `easel_actors_owned\{kind="tenant"\} 1`,
		"sockets":               `easel_live_sessions 1`,
		"deliveries":            `easel_live_deliveries_total [1-9]`,
		"slow readers":          `easel_live_slow_total 0`,
		"drops":                 `easel_actors_dropped_total 0`,
		"alarms":                `easel_actors_alarms_total\{kind="image",outcome="\w+"\} [1-9]`,
		"broken invariants":     `easel_live_alarms_total 0`,
		"damage":                `easel_journal_corrupt_total 0`,
	} {
		if !regexp.MustCompile(`(?m)^` + line).MatchString(text) {
			t.Errorf("%s: nothing like %s", what, line)
		}
	}
	if id := regexp.MustCompile(`[0-9a-f]{32}`).FindString(text); id != "" {
		t.Errorf("an id is exposed: %s", id)
	}
}
