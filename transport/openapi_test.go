package transport_test

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/transport"
)

var update = flag.Bool("update", false, "write the tables in docs/")

// document is as much of an OpenAPI document as the tests look at.
type document struct {
	OpenAPI string
	Info    map[string]string
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Parameters  []struct{ Name, In string }
		RequestBody *struct {
			Content map[string]struct{ Schema map[string]any }
		} `json:"requestBody"`
		Responses map[string]struct{ Description string }
		Security  []map[string][]string
	}
	Components struct {
		Schemas map[string]struct {
			Required   []string
			Properties map[string]map[string]any
		}
	}
}

// The types of the TypeScript client name the document that they were made of.
func TestTypeScriptTypesAreOfThisDocument(t *testing.T) {
	w := newWorld(t)
	raw := w.do(request{method: "GET", path: "/openapi.json"}).want(t, 200, nil).body
	version := regexp.MustCompile(`("info":\{[^{}]*"version":)"[^"]*"`)
	sum := sha256.Sum256([]byte(version.ReplaceAllString(raw, `$1""`)))
	made, err := os.ReadFile("../clients/typescript/src/api.ts")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(made[:1000]), hex.EncodeToString(sum[:])) {
		t.Error("clients/typescript/src/api.ts is older than the routes: run make clients, and commit it")
	}
}

func TestOpenAPIHasEveryRoute(t *testing.T) {
	w := newWorld(t)
	var doc document
	raw := w.do(request{method: "GET", path: "/openapi.json"}).want(t, 200, &doc).body
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info["title"] == "" || doc.Info["version"] == "" {
		t.Errorf("document of version %q, info %v", doc.OpenAPI, doc.Info)
	}
	routes := transport.Routes()
	count := 0
	for _, item := range doc.Paths {
		count += len(item)
	}
	if count != len(routes) {
		t.Errorf("%d operations for %d routes", count, len(routes))
	}
	seen := map[string]bool{}
	for _, r := range routes {
		path := strings.ReplaceAll(r.Path, "...}", "}")
		op, ok := doc.Paths[path][strings.ToLower(r.Method)]
		if !ok {
			t.Errorf("no %s %s", r.Method, path)
			continue
		}
		if op.OperationID == "" || seen[op.OperationID] {
			t.Errorf("%s: operation id %q", path, op.OperationID)
		}
		seen[op.OperationID] = true
		if (r.Body.Media != "") != (op.RequestBody != nil) || (r.Access == transport.Token || r.Access == transport.Ticketed) != (len(op.Security) > 0) {
			t.Errorf("%s %s: body %v, security %v", r.Method, path, op.RequestBody != nil, op.Security)
		}
		for _, name := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
			found := false
			for _, p := range op.Parameters {
				found = found || p.Name == name[1] && p.In == "path"
			}
			if !found {
				t.Errorf("%s: parameter %s is not described", path, name[1])
			}
		}
		for _, code := range r.Codes() {
			if _, ok := op.Responses[statusText(code)]; !ok {
				t.Errorf("%s: error %s is not described", path, code)
			}
		}
		for status, res := range op.Responses {
			if res.Description == "" {
				t.Errorf("%s: response %s has no description", path, status)
			}
		}
	}
	// Every reference leads somewhere.
	for _, ref := range regexp.MustCompile(`"\$ref":"([^"]+)"`).FindAllStringSubmatch(raw, -1) {
		if _, ok := doc.Components.Schemas[strings.TrimPrefix(ref[1], "#/components/schemas/")]; !ok {
			t.Errorf("reference %s leads nowhere", ref[1])
		}
	}
}

func TestOpenAPIDescribesWhatIsChecked(t *testing.T) {
	w := newWorld(t)
	var doc document
	w.do(request{method: "GET", path: "/openapi.json"}).want(t, 200, &doc)
	draft := doc.Components.Schemas["DraftBody"]
	if diff := cmp.Diff([]string{"image_id", "label"}, draft.Required, cmp.Transformer("set", func(s []string) map[string]bool {
		m := map[string]bool{}
		for _, v := range s {
			m[v] = true
		}
		return m
	})); diff != "" {
		t.Error(diff)
	}
	if width := draft.Properties["width"]; width["minimum"] != .001 || width["maximum"] != 1.0 || width["type"] != "number" {
		t.Errorf("width %v", width)
	}
	// A note has the same shape as a draft, under one name.
	note := doc.Components.Schemas["Annotation"]
	for _, name := range []string{"shape", "attributes"} {
		if ref := draft.Properties[name]["$ref"]; ref == nil || ref != note.Properties[name]["$ref"] {
			t.Errorf("%s is %v of a draft and %v of an annotation", name, ref, note.Properties[name]["$ref"])
		}
	}
	if label := draft.Properties["label"]; label["maxLength"] != 100.0 || label["type"] != "string" {
		t.Errorf("label %v", label)
	}
	if at := doc.Components.Schemas["Annotation"].Properties["created_at"]; at["format"] != "date-time" {
		t.Errorf("created_at %v", at)
	}
}

func TestDocsPageHasEveryRoute(t *testing.T) {
	w := newWorld(t)
	page := w.do(request{method: "GET", path: "/docs"}).want(t, 200, nil).body
	for _, r := range transport.Routes() {
		if !strings.Contains(page, strings.ReplaceAll(r.Path, "...}", "}")) {
			t.Errorf("no %s", r.Path)
		}
	}
	if regexp.MustCompile(`(?i)(src|href)="(https?:)?//`).MatchString(page) {
		t.Error("the page loads something from elsewhere")
	}
}

// TestTablesAreFresh compares docs/ with the declarations; go generate writes it.
func TestTablesAreFresh(t *testing.T) {
	for name, want := range map[string][]byte{"routes.md": transport.RoutesTable(), "errors.md": transport.ErrorsTable()} {
		path := filepath.Join("..", "docs", name)
		if *update {
			must(t, os.WriteFile(path, want, 0o644))
			continue
		}
		got, err := os.ReadFile(path)
		must(t, err)
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is stale (go generate ./transport): %s", name, diff)
		}
	}
}

func statusText(code easel.Code) string { return strconv.Itoa(transport.Status(code)) }
