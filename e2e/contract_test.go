package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// The contract tests hold the real binary to what clients and operators are
// promised: one table a promise, over the wire, without a look inside.

// signingSecret is the HS256 secret of the nodes that these tests start.
const signingSecret = "a secret that only contract tests sign with"

// site is a node and whoever speaks to it.
type site struct{ *node }

func newSite(t *testing.T, args ...string) site {
	t.Helper()
	return site{start(t, t.TempDir(), append([]string{"--jwt-secret=" + signingSecret}, args...)...)}
}

// claims are those of a token.
type claims map[string]any

// sign returns a JWT of any header and claims.
func sign(secret string, header, body claims) string {
	part := func(c claims) string {
		b, err := json.Marshal(c)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(header) + "." + part(body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// bearer returns a token with an hour to live unless the claims say otherwise; a
// nil claim is left out.
func bearer(c claims) string {
	body := claims{"sub": "ada", "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(body, c)
	maps.DeleteFunc(body, func(_ string, v any) bool { return v == nil })
	return sign(signingSecret, claims{"alg": "HS256", "typ": "JWT"}, body)
}

// as returns an API for a member; an empty tenant or role is left out of the token.
func (s site) as(tenant, user, role string) *api {
	c := claims{"sub": user}
	if tenant != "" {
		c["tenant"] = tenant
	}
	if role != "" {
		c["role"] = role
	}
	return newAPI(s.base, bearer(c))
}

// anonymous returns an API without a token.
func (s site) anonymous() *api { return newAPI(s.base, "") }

// problem is the body of every error.
type problem struct {
	Error     string `json:"error"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
	Details   []struct {
		Path    string `json:"path"`
		Message string `json:"message"`
	} `json:"details"`
	Current  *box  `json:"current"`
	Expected int64 `json:"expected"`
}

// statusOf is the contract's table of codes.
var statusOf = map[string]int{
	"bad_request": 400, "unauthorized": 401, "forbidden": 403, "not_found": 404, "method_not_allowed": 405,
	"conflict": 409, "bad_seq": 409, "gone": 410, "too_large": 413, "unsupported_media": 415, "range": 416, "invalid": 422,
	"rate_limited": 429, "internal": 500, "overloaded": 503, "unavailable": 503,
}

// fails checks that an answer is an error of one code, in the one form.
func (a answer) fails(t *testing.T, status int, code string) problem {
	t.Helper()
	var p problem
	if a.status != status || a.into(&p) != nil || p.Error != code {
		t.Fatalf("got %s, want %d %s", a, status, code)
	}
	if id := a.header.Get("X-Request-Id"); id == "" || p.RequestID != id {
		t.Errorf("request id %q in the header, %q in the body", id, p.RequestID)
	}
	if p.Message == "" || strings.Contains(p.Message, "\n") {
		t.Errorf("message %q", p.Message)
	}
	if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		t.Errorf("content type %q", got)
	}
	if (status == http.StatusTooManyRequests || code == "overloaded") && a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	return p
}

// refused sends a request and expects an error with the code's own status.
func (a *api) refused(t *testing.T, code, method, path string, body any, header ...string) problem {
	t.Helper()
	got, err := a.do(t.Context(), method, path, body, header...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return got.fails(t, statusOf[code], code)
}

// raw is a JSON body as it stands.
func raw(text string) json.RawMessage { return json.RawMessage(text) }

// text sends a request whose body is sent as it is, valid or not.
func (a *api) text(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	if !slices.Contains(header, "Content-Type") {
		header = append(header, "Content-Type", "application/json")
	}
	got, err := a.do(t.Context(), method, path, strings.NewReader(body), header...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

// drawing returns the JSON of a box on an image; more is appended to its members.
func drawing(image, label, more string) string {
	return fmt.Sprintf(`{"image_id":%q,"label":%q,"x":0.1,"y":0.1,"width":0.2,"height":0.2%s}`, image, label, more)
}

// draw makes an annotation.
func (a *api) draw(t *testing.T, image, label string) box {
	t.Helper()
	var out struct{ Annotation box }
	if err := a.must(t, http.StatusCreated, "POST", "/api/annotations", raw(drawing(image, label, ""))).into(&out); err != nil {
		t.Fatal(err)
	}
	return out.Annotation
}

// keysOf returns the sorted member names of a JSON object.
func keysOf(t *testing.T, b []byte) []string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return slices.Sorted(maps.Keys(m))
}

// member returns the raw JSON of a nested member.
func member(t *testing.T, b []byte, path ...string) json.RawMessage {
	t.Helper()
	for _, p := range path {
		var m map[string]json.RawMessage
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		next, ok := m[p]
		if !ok {
			t.Fatalf("no %s in %s", p, b)
		}
		b = next
	}
	return b
}
