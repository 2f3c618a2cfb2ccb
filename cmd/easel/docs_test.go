package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// update makes the Docs tests write what they would compare.
var update = flag.Bool("update", false, "rewrite the generated parts of docs/")

// TestDocsListEveryOption keeps the table in docs/operations.md what the code
// says.
func TestDocsListEveryOption(t *testing.T) {
	const path, begin, end = "../../docs/operations.md", "<!-- options: made by make docs -->\n", "<!-- end of options -->\n"
	var table strings.Builder
	table.WriteString("| key | environment | default | meaning |\n|---|---|---|---|\n")
	fmt.Fprintf(&table, "| `--%s` | `%s` | none | YAML file with keys spelled as the flags |\n", configKey, envName(configKey))
	for _, o := range (&Config{}).options() {
		def := "none"
		if o.def != "" {
			def = "`" + o.def + "`"
		}
		fmt.Fprintf(&table, "| `--%s` | `%s` | %s | %s |\n", o.name, envName(o.name), def, strings.ReplaceAll(o.usage, "|", `\|`))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	old, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the options", path)
	}
	if old == table.String() {
		return
	}
	if !*update {
		t.Fatalf("%s lags behind the options: run make docs", path)
	}
	if err := os.WriteFile(path, []byte(head+begin+table.String()+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}
