package transport

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"strconv"
	"strings"
)

// docsStyle is all the style that /docs has; the page loads nothing.
const docsStyle = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}` +
	`details{border:1px solid #8886;border-radius:.4rem;margin:.4rem 0;padding:.4rem .8rem}summary{cursor:pointer}` +
	`code{font:.9em ui-monospace,monospace}.m{display:inline-block;min-width:4.5em;font-weight:600}` +
	`table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #8886;padding:.2rem .5rem;text-align:left;vertical-align:top}`

// docsPolicy lets the page have its own style and nothing else.
var docsPolicy = []string{"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; style-src 'sha256-" + styleHash() + "'"}

func styleHash() string {
	sum := sha256.Sum256([]byte(docsStyle))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// docsPage renders the routes for people: no script, no other resource.
func docsPage(routes []Route) []byte {
	var b bytes.Buffer
	b.WriteString(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Easel API</title><style>` +
		docsStyle + `</style></head><body><h1>Easel API</h1><p>The same as <a href="/openapi.json">openapi.json</a>.</p>`)
	tag := ""
	for i := range routes {
		r := &routes[i]
		if r.Tag != tag {
			tag = r.Tag
			fmt.Fprintf(&b, "<h2>%s</h2>", html.EscapeString(tag))
		}
		docsRoute(&b, r)
	}
	b.WriteString(`<h2>Errors</h2><table><tr><th>code</th><th>status</th><th>meaning</th></tr>`)
	for _, p := range problems {
		fmt.Fprintf(&b, "<tr><td><code>%s</code></td><td>%d</td><td>%s</td></tr>", p.code, p.status, html.EscapeString(p.doc))
	}
	b.WriteString(`</table></body></html>`)
	return b.Bytes()
}

func docsRoute(b *bytes.Buffer, r *Route) {
	fmt.Fprintf(b, `<details id="%s"><summary><code><span class="m">%s</span> %s</code> %s</summary>`,
		operationID(r), r.Method, html.EscapeString(openPath(r.Path)), html.EscapeString(r.Summary))
	if d := describe(r); d != "" {
		fmt.Fprintf(b, "<p>%s</p>", html.EscapeString(d))
	}
	b.WriteString("<table>")
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "<tr><th>%s</th><td>%s</td></tr>", name, value)
		}
	}
	row("needs", html.EscapeString(r.Access.String()))
	for _, p := range r.Params {
		row(html.EscapeString(p.In+" "+p.Name), html.EscapeString(p.Doc))
	}
	if r.Body.Media != "" {
		row("body", "<code>"+html.EscapeString(r.Body.Media)+"</code>")
	}
	row("answer", "<code>"+strconv.Itoa(r.Answer.Status)+" "+html.EscapeString(r.Answer.Media)+"</code>")
	row("errors", html.EscapeString(codesText(r)))
	b.WriteString("</table></details>")
}

func codesText(r *Route) string {
	var out []string
	for _, c := range r.Codes() {
		out = append(out, string(c))
	}
	return strings.Join(out, ", ")
}
