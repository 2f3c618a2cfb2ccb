package transport

import (
	"io"
	"net/http"
	"time"
)

// Bounds of what is read of a refused request's body.
const (
	mostUnread = 256 << 20
	unreadTime = 10 * time.Second
)

// passOver reads what is left of a refused request's body. Most clients send all of
// it before they look for an answer, and lose the answer if the connection is closed
// while they send. Those that ask before they send (Expect) are not made to.
func passOver(w http.ResponseWriter, r *http.Request, body io.Reader) {
	if r.ContentLength == 0 || r.ContentLength > mostUnread || r.Header.Get("Expect") != "" {
		return
	}
	// Not every ResponseWriter has deadlines; a test's has none.
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(unreadTime))
	_, _ = io.Copy(io.Discard, io.LimitReader(body, mostUnread)) // if it fails, there is no more
	_ = rc.SetReadDeadline(time.Time{})
}
