package transport

import (
	"io/fs"
	"net/url"
	"strings"
)

// onPage reports whether the built-in page has something at the path.
func (a *API) onPage(path string) bool {
	if a.c.Page.Files == nil {
		return false
	}
	name := strings.TrimPrefix(path, "/")
	if name == "" {
		name = "index.html"
	}
	if !fs.ValidPath(name) {
		return false
	}
	info, err := fs.Stat(a.c.Page.Files, name)
	return err == nil && !info.IsDir()
}

// escapeSegment escapes a name so that it is one segment of a path.
func escapeSegment(name string) string {
	return strings.ReplaceAll(url.PathEscape(name), "/", "%2F")
}
