package transport

import (
	"bytes"
	"fmt"
	"strings"
)

//go:generate go test -run TestTablesAreFresh -update .

// RoutesTable returns docs/routes.md: every route as one row.
func RoutesTable() []byte {
	var b bytes.Buffer
	b.WriteString("# Routes\n\nMade from the declarations in package `transport` by `go generate ./transport`. " +
		"Any answer may also be `internal` 500, `overloaded` 503 or `unavailable` 503; see [errors](errors.md). " +
		"Every route that changes something takes an `Idempotency-Key`.\n")
	tag := ""
	for _, r := range Routes() {
		if r.Tag != tag {
			tag = r.Tag
			fmt.Fprintf(&b, "\n## %s\n\n| route | what | needs | answer | errors |\n|---|---|---|---|---|\n", tag)
		}
		needs := r.Access.String()
		if r.Role != "" {
			needs += ", " + string(r.Role)
		}
		what := r.Summary
		if r.Doc != "" {
			what += ". " + r.Doc
		}
		fmt.Fprintf(&b, "| `%s %s` | %s | %s | %s | %s |\n",
			r.Method, openPath(r.Path), cell(what), needs, strings.TrimSpace(fmt.Sprint(r.Answer.Status, " ", answerText(&r))), ticks(codesText(&r)))
	}
	b.WriteString("\n## Parameters\n\n| route | parameter | in | meaning |\n|---|---|---|---|\n")
	for _, r := range Routes() {
		for _, p := range r.Params {
			fmt.Fprintf(&b, "| `%s %s` | `%s` | %s | %s |\n", r.Method, openPath(r.Path), p.Name, p.In, cell(p.Doc))
		}
	}
	return b.Bytes()
}

func answerText(r *Route) string {
	if r.Answer.Media == "" {
		return ""
	}
	return "`" + r.Answer.Media + "`"
}

// ErrorsTable returns docs/errors.md: every code with its status.
func ErrorsTable() []byte {
	var b bytes.Buffer
	b.WriteString("# Errors\n\nMade from the table in package `transport` by `go generate ./transport`.\n\n" +
		"Every error is JSON: `{\"error\": CODE, \"message\": TEXT, \"request_id\": ID, \"details\"?: [{\"path\", \"message\"}], \"current\"?, \"expected\"?}`.\n\n" +
		"| code | status | temporary | meaning |\n|---|---|---|---|\n")
	for _, p := range problems {
		temporary := "no"
		if p.code.Temporary() {
			temporary = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", p.code, p.status, temporary, cell(p.doc))
	}
	b.WriteString("\nA path parameter that should be an id and is not one is `invalid` 422. Anything of another tenant is answered exactly like one that never was: `not_found`.\n")
	return b.Bytes()
}

// cell keeps a text inside its cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func ticks(codes string) string {
	if codes == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(codes, ", ", "` `") + "`"
}
