package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
)

// TestContractPredictions: what a model proposes is shown as such until a reviewer
// has judged it.
func TestContractPredictions(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada, rita := w.as("acme", "ada", ""), w.as("acme", "rita", "reviewer")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	predict := func(confidence float64) string {
		t.Helper()
		got := ada.must(t, http.StatusCreated, "POST", "/api/annotations", raw(drawing(row.ID, "cat", fmt.Sprintf(`,"confidence":%v,"source":"model","model":"yolo 11"`, confidence))))
		a := member(t, got.body, "annotation")
		if string(member(t, a, "source")) != `"model"` || string(member(t, a, "model")) != `"yolo 11"` {
			t.Errorf("%s", got)
		}
		return decodedBox(t, a).ID
	}
	path := "/api/images/" + row.ID
	high, middle, low := predict(0.9), predict(0.5), predict(0.1)
	watcher, _ := ada.join(t, row.ID, "watcher")
	ada.refused(t, "forbidden", "POST", path+"/predictions/accept", raw(`{"min_confidence":0}`))
	ada.refused(t, "bad_request", "PATCH", path+"/annotations/"+high, raw(`{"source":"human"}`))

	got := rita.must(t, http.StatusOK, "POST", path+"/predictions/accept", raw(`{"min_confidence":0.5}`))
	if string(got.body) != `{"judged":2,"more":false,"version":4}`+"\n" || got.header.Get("X-Easel-Version") == "" {
		t.Errorf("%s", got)
	}
	for i, a := range effectsOf(t, watcher.want(t, "ops")) {
		if keys := fmt.Sprint(keysOf(t, a)); keys != "[confidence created_at created_by height id image_id label model rev updated_at updated_by width x y]" {
			t.Errorf("effect %d: %s", i, a)
		}
	}
	got = rita.must(t, http.StatusOK, "POST", path+"/predictions/reject", raw(`{"ids":["`+low+`","`+middle+`"]}`))
	if string(got.body) != `{"judged":1,"more":false,"version":5}`+"\n" {
		t.Errorf("%s", got)
	}
	ada.refused(t, "gone", "GET", path+"/annotations/"+low, nil)
	ada.must(t, http.StatusOK, "GET", path+"/annotations/"+middle, nil)
	for body, code := range map[string]string{
		`{}`: "invalid", `{"ids":[]}`: "invalid", `{"ids":["x"]}`: "invalid", `{"min_confidence":2}`: "invalid",
		`{"ids":["` + high + `"],"min_confidence":0}`: "invalid", `{"ids":["` + chosen(1) + `"]}`: "not_found", `{"ids":[7]}`: "bad_request",
	} {
		rita.refused(t, code, "POST", path+"/predictions/reject", raw(body))
	}
}
