package e2e_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestContractClaims: what a token must have and may not have.
func TestContractClaims(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	hs256 := claims{"alg": "HS256", "typ": "JWT"}
	hour := time.Now().Add(time.Hour).Unix()
	good := bearer(claims{"tenant": "acme"})
	for name, bad := range map[string]string{
		"no token":           "",
		"not a token":        "x",
		"three dots":         "a.b.c",
		"no sub":             bearer(claims{"sub": nil}),
		"empty sub":          bearer(claims{"sub": ""}),
		"numeric sub":        bearer(claims{"sub": 7}),
		"no exp":             bearer(claims{"exp": nil}),
		"textual exp":        bearer(claims{"exp": "soon"}),
		"expired":            bearer(claims{"exp": time.Now().Add(-2 * time.Minute).Unix()}),
		"not yet":            bearer(claims{"nbf": time.Now().Add(10 * time.Minute).Unix()}),
		"unknown role":       bearer(claims{"tenant": "acme", "role": "king"}),
		"upper role":         bearer(claims{"tenant": "acme", "role": "Admin"}),
		"empty role":         bearer(claims{"tenant": "acme", "role": ""}),
		"role of wrong type": bearer(claims{"tenant": "acme", "role": []string{"admin"}}),
		"tenant user:":       bearer(claims{"tenant": "user:ada"}),
		"tenant user: other": bearer(claims{"tenant": "user:bob"}),
		"tenant number":      bearer(claims{"tenant": 5}),
		"crit":               sign(signingSecret, claims{"alg": "HS256", "crit": []string{"x"}, "x": 1}, claims{"sub": "ada", "exp": hour}),
		"crit exp":           sign(signingSecret, claims{"alg": "HS256", "crit": []string{"exp"}, "exp": hour}, claims{"sub": "ada", "exp": hour}),
		"empty crit":         sign(signingSecret, claims{"alg": "HS256", "crit": []string{}}, claims{"sub": "ada", "exp": hour}),
		"alg none":           sign(signingSecret, claims{"alg": "none"}, claims{"sub": "ada", "exp": hour}),
		"alg HS512":          sign(signingSecret, claims{"alg": "HS512"}, claims{"sub": "ada", "exp": hour}),
		"alg RS256":          sign(signingSecret, claims{"alg": "RS256"}, claims{"sub": "ada", "exp": hour}),
		"other secret":       sign(strings.Repeat("x", 32), hs256, claims{"sub": "ada", "exp": hour}),
		"no signature":       good[:strings.LastIndex(good, ".")+1],
		"altered":            good[:len(good)-4] + "AAAA",
		"key":                "easel_00000000000000000000000000000000_00000000000000000000000000000000_x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newAPI(w.base, bad).refused(t, "unauthorized", "GET", "/api/me", nil)
		})
	}
	for name, c := range map[string]struct {
		claims claims
		want   string
	}{
		"sub only":        {claims{}, `{"user_id":"ada","tenant":"user:ada","role":"owner","name":"ada"}`},
		"personal viewer": {claims{"role": "viewer"}, `{"user_id":"ada","tenant":"user:ada","role":"viewer","name":"ada"}`},
		"tenant":          {claims{"tenant": "acme"}, `{"user_id":"ada","tenant":"acme","role":"annotator","name":"ada"}`},
		"all":             {claims{"tenant": "acme", "role": "admin", "name": "Ada Lovelace"}, `{"user_id":"ada","tenant":"acme","role":"admin","name":"Ada Lovelace"}`},
		"odd sub":         {claims{"sub": "auth0|a/b c?ü"}, `{"user_id":"auth0|a/b c?ü","tenant":"user:auth0|a/b c?ü","role":"owner","name":"auth0|a/b c?ü"}`},
		"unknown claims":  {claims{"tenant": "acme", "scope": "x", "iat": time.Now().Unix()}, `{"user_id":"ada","tenant":"acme","role":"annotator","name":"ada"}`},
		"fractional exp":  {claims{"tenant": "acme", "exp": float64(hour) + .5}, `{"user_id":"ada","tenant":"acme","role":"annotator","name":"ada"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := newAPI(w.base, bearer(c.claims)).must(t, 200, "GET", "/api/me", nil)
			if strings.TrimSpace(string(got.body)) != c.want {
				t.Errorf("got %s, want %s", got.body, c.want)
			}
		})
	}
	t.Run("scheme in any case", func(t *testing.T) {
		w.anonymous().must(t, 200, "GET", "/api/me", nil, "Authorization", "bearer "+good)
		w.anonymous().refused(t, "unauthorized", "GET", "/api/me", nil, "Authorization", "Basic "+good)
	})
}

// TestContractTenants: another tenant's things do not exist, to the byte.
func TestContractTenants(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada, eve := w.as("acme", "ada", "admin"), w.as("evil", "eve", "owner")
	solo := w.as("", "ada", "") // the same sub, her personal tenant
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	shape := ada.draw(t, row.ID, "cat")
	ada.must(t, 200, "PUT", "/api/files/secret", strings.NewReader("x"))
	ada.must(t, 200, "PUT", "/api/kv/secret", strings.NewReader("x"))
	never := strings.Repeat("0", 31) + "1"
	paths := []struct{ method, path, body string }{
		{"GET", "/api/images/%s", ""},
		{"PATCH", "/api/images/%s", `{"filename":"x.png"}`},
		{"DELETE", "/api/images/%s", ""},
		{"POST", "/api/images/%s/restore", ""},
		{"GET", "/api/images/%s/url", ""},
		{"GET", "/api/images/%s/file", ""},
		{"GET", "/api/images/%s/thumbnail", ""},
		{"GET", "/api/images/%s/tiles", ""},
		{"GET", "/api/images/%s/tiles/9/0_0", ""},
		{"GET", "/api/images/%s/ops", ""},
		{"GET", "/api/images/%s/messages", ""},
		{"POST", "/api/images/%s/messages", `{"text":"x"}`},
		{"GET", "/api/images/%s/events", ""},
		{"GET", "/api/images/%s/live", ""},
		{"POST", "/api/images/%s/ops", `{"client":"c","seq":1,"ops":[{"k":"del","id":"` + shape.ID + `"}]}`},
		{"GET", "/api/images/%s/annotations/" + shape.ID, ""},
		{"PATCH", "/api/images/%s/annotations/" + shape.ID, `{"label":"x"}`},
		{"DELETE", "/api/images/%s/annotations/" + shape.ID, ""},
		{"GET", "/api/annotations/by-image/%s", ""},
		{"POST", "/api/annotations", drawing("%s", "x", "")},
		{"POST", "/api/annotations/bulk", `{"annotations":[` + drawing("%s", "x", "") + `]}`},
		{"POST", "/api/tickets", `{"image_id":"%s"}`},
	}
	for _, c := range paths {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			for who, a := range map[string]*api{"another tenant": eve, "personal": solo} {
				var bodies [2]string
				for i, id := range []string{row.ID, never} {
					path, body := strings.ReplaceAll(c.path, "%s", id), strings.ReplaceAll(c.body, "%s", id)
					var header []string
					if strings.HasSuffix(path, "/live") {
						header = []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol", "easel.v1"}
					}
					got := a.text(t, c.method, path, body, header...)
					p := got.fails(t, 404, "not_found")
					bodies[i] = strings.ReplaceAll(strings.ReplaceAll(string(got.body), p.RequestID, "ID"), id, "IMAGE")
				}
				if bodies[0] != bodies[1] {
					t.Errorf("%s: it shows that the image exists: %s and %s", who, bodies[0], bodies[1])
				}
			}
		})
	}
	for _, path := range []string{"/api/files/secret", "/api/kv/secret", "/api/users/ada"} {
		eve.refused(t, "not_found", "GET", path, nil)
	}
	for _, path := range []string{"/api/images", "/api/files", "/api/kv", "/api/keys"} {
		for _, a := range []*api{eve, solo} {
			if got := a.must(t, 200, "GET", path, nil); strings.Contains(string(got.body), row.ID) || strings.Contains(string(got.body), "secret") {
				t.Errorf("%s shows %s", path, got.body)
			}
		}
	}
	mine := solo.upload(t, "mine.png", picture(8, 8, 2))
	ada.refused(t, "not_found", "GET", "/api/images/"+mine.ID, nil)
}

// TestContractRoles is the table of roles.
func TestContractRoles(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	roles := []string{"viewer", "annotator", "reviewer", "admin", "owner"}
	owner := w.as("acme", "boss", "owner")
	prefix := func(user string) string { return "u/" + base64.RawURLEncoding.EncodeToString([]byte(user)) + "/" }
	for rank, role := range roles {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			a := w.as("acme", "the "+role, role)
			others := owner.upload(t, "boss.png", picture(8, 8, byte(rank)))
			shape := owner.draw(t, others.ID, "boss")
			own := others
			if rank >= 1 {
				own = a.upload(t, "own.png", picture(8, 8, 50+byte(rank)))
			}
			type try struct {
				from         int // rank that may
				status       int // then
				method, path string
				body         string
			}
			image, mine := "/api/images/"+others.ID, "/api/images/"+own.ID
			tries := []try{
				{0, 200, "GET", "/api/images", ""},
				{0, 200, "GET", image, ""},
				{0, 200, "GET", image + "/url", ""},
				{0, 200, "GET", image + "/file", ""},
				{0, 200, "GET", image + "/thumbnail", ""},
				{0, 200, "GET", image + "/tiles", ""},
				{0, 200, "GET", image + "/ops", ""},
				{0, 200, "GET", image + "/messages", ""},
				{0, 200, "GET", image + "/annotations/" + shape.ID, ""},
				{0, 200, "GET", "/api/annotations/by-image/" + others.ID, ""},
				{0, 201, "POST", "/api/tickets", `{"image_id":"` + others.ID + `"}`},
				{0, 200, "GET", "/api/usage", ""},
				{0, 200, "GET", "/api/files", ""},
				{0, 200, "GET", "/api/kv", ""},
				{0, 200, "GET", "/api/users/boss", ""},
				{1, 201, "POST", "/api/annotations", drawing(others.ID, "x", "")},
				{1, 201, "POST", "/api/annotations/bulk", `{"annotations":[` + drawing(others.ID, "x", "") + `]}`},
				{1, 200, "PATCH", image + "/annotations/" + shape.ID, `{"label":"changed"}`},
				{1, 200, "POST", image + "/ops", `{"client":"c","seq":1,"ops":[{"k":"patch","id":"` + shape.ID + `","set":{"label":"y"}}]}`},
				{1, 201, "POST", image + "/messages", `{"text":"hi"}`},
				{1, 200, "PUT", "/api/kv/" + prefix("the "+role) + "k", "v"},
				{1, 200, "PUT", "/api/files/" + prefix("the "+role) + "f", "v"},
				{3, 200, "PUT", "/api/kv/" + prefix("boss") + "k" + role, "v"},
				{3, 200, "PUT", "/api/files/" + prefix("boss") + "f" + role, "v"},
				{3, 200, "PUT", "/api/kv/shared-" + role, "v"},
				{3, 200, "PUT", "/api/files/shared-" + role, "v"},
				{3, 200, "PUT", "/api/kv/" + strings.TrimSuffix(prefix("the "+role), "/") + "x", "v"},
				{3, 204, "DELETE", "/api/kv/shared-" + role, ""},
				{3, 204, "DELETE", "/api/files/shared-" + role, ""},
				{1, 204, "DELETE", "/api/kv/" + prefix("the "+role) + "k", ""},
				{3, 201, "POST", "/api/keys", `{"name":"k","role":"viewer"}`},
				{3, 200, "GET", "/api/keys", ""},
				{1, 204, "DELETE", image + "/annotations/" + shape.ID, ""},
				{3, 204, "DELETE", image, ""},
				{3, 200, "POST", image + "/restore", ""},
			}
			if rank >= 1 {
				tries = append(tries, try{1, 200, "PATCH", mine, `{"filename":"b.png"}`}, try{1, 204, "DELETE", mine, ""}, try{1, 200, "POST", mine + "/restore", ""})
			}
			if rank <= 2 {
				tries = append(tries, try{3, 200, "PATCH", image, `{"filename":"b.png"}`})
			}
			for _, c := range tries {
				if got := a.text(t, c.method, c.path, c.body); rank >= c.from {
					if got.status != c.status {
						t.Errorf("%s %s: got %s, want %d", c.method, c.path, got, c.status)
					}
				} else if got.status != 403 {
					t.Errorf("%s %s: got %s, want 403", c.method, c.path, got)
				} else {
					got.fails(t, 403, "forbidden")
				}
			}
			if rank == 0 {
				body, contentType := form("a.png", picture(8, 8, 9))
				a.refused(t, "forbidden", "POST", "/api/images/upload", body, "Content-Type", contentType)
			}
		})
	}
}

// TestContractTickets: bound to user, role and image, and only where said.
func TestContractTickets(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "viewer")
	owner := w.as("acme", "boss", "owner")
	row, other := owner.upload(t, "a.png", picture(8, 8, 1)), owner.upload(t, "b.png", picture(8, 8, 2))
	got := ada.must(t, 201, "POST", "/api/tickets", raw(`{"image_id":"`+row.ID+`"}`))
	var ticket struct {
		Ticket    string    `json:"ticket"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	if err := got.into(&ticket); err != nil {
		t.Fatal(err)
	}
	if life := time.Until(ticket.ExpiresAt); life > 61*time.Second || life < 20*time.Second {
		t.Errorf("it lives for %v", life)
	}
	if keys := keysOf(t, got.body); fmt.Sprint(keys) != "[expires_at ticket]" {
		t.Errorf("members %v", keys)
	}
	nobody := w.anonymous()
	query := "?ticket=" + ticket.Ticket
	for _, path := range []string{"/file", "/thumbnail", "/tiles"} {
		nobody.must(t, 200, "GET", "/api/images/"+row.ID+path+query, nil)
		nobody.must(t, 200, "HEAD", "/api/images/"+row.ID+path+query, nil)
		nobody.refused(t, "unauthorized", "GET", "/api/images/"+row.ID+path+query+"x", nil)
		nobody.refused(t, "unauthorized", "GET", "/api/images/"+row.ID+path+"?ticket=", nil)
		nobody.refused(t, "unauthorized", "GET", "/api/images/"+row.ID+path, nil)
		if got := nobody.text(t, "GET", "/api/images/"+other.ID+path+query, ""); got.status == 200 {
			t.Errorf("the ticket opens another image: %s", got)
		}
	}
	nobody.stream(t, row.ID, "", query).until(t, "snap")
	for _, path := range []string{"/api/images/" + row.ID, "/api/images", "/api/me", "/api/images/" + row.ID + "/url", "/api/images/" + row.ID + "/ops", "/api/images/" + row.ID + "/messages", "/api/annotations/by-image/" + row.ID, "/api/usage", "/api/kv"} {
		nobody.refused(t, "unauthorized", "GET", path+query, nil)
	}
	s, err := nobody.dialQuery(t, row.ID, query)
	if err != nil {
		t.Fatal(err)
	}
	s.say(t, `{"t":"hello","client":"c"}`)
	welcome := s.want(t, "welcome")
	if got := string(member(t, welcome, "role")); got != `"viewer"` {
		t.Errorf("role %s", got)
	}
	s.want(t, "snap")
	s.say(t, `{"t":"op","seq":1,"ops":[{"k":"put","annotation":{"label":"a","x":0,"y":0,"width":1,"height":1}}]}`)
	if rej := s.want(t, "rej"); string(member(t, rej, "code")) != `"forbidden"` {
		t.Errorf("%s", rej)
	}
	// The header and the ticket may disagree: then nobody can tell who asks.
	if strings.Contains(w.stderr.String(), ticket.Ticket) {
		t.Error("the ticket was logged")
	}
	for body, code := range map[string]string{
		`{}`: "invalid", `{"image_id":"x"}`: "invalid", `{"image_id":5}`: "bad_request", `{"image_id":"` + strings.Repeat("0", 32) + `"}`: "not_found",
		`{"image_id":"` + row.ID + `","ttl":5}`: "bad_request",
	} {
		ada.refused(t, code, "POST", "/api/tickets", raw(body))
	}
}

// TestContractServiceKeys: made once, shown once, scoped, expiring, revocable.
func TestContractServiceKeys(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	admin := w.as("acme", "ada", "admin")
	got := admin.must(t, 201, "POST", "/api/keys", raw(`{"name":"robot","role":"annotator","ttl":3600}`))
	if keys := keysOf(t, got.body); fmt.Sprint(keys) != "[expires_at id key role]" {
		t.Errorf("members %v", keys)
	}
	var key struct{ ID, Key, Role, ExpiresAt string }
	if err := got.into(&key); err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(key.Key, "_", 4)
	if len(parts) != 4 || parts[0] != "easel" || parts[2] != key.ID || len(parts[3]) < 20 {
		t.Errorf("key %s", key.Key)
	}
	robot := newAPI(w.base, key.Key)
	row := robot.upload(t, "a.png", picture(8, 8, 1))
	robot.draw(t, row.ID, "cat")
	me := robot.must(t, 200, "GET", "/api/me", nil)
	if string(member(t, me.body, "tenant")) != `"acme"` || string(member(t, me.body, "role")) != `"annotator"` {
		t.Errorf("me is %s", me)
	}
	robot.refused(t, "forbidden", "GET", "/api/keys", nil)
	newAPI(w.base, key.Key+"x").refused(t, "unauthorized", "GET", "/api/me", nil)
	newAPI(w.base, strings.Join([]string{parts[0], parts[1], strings.Repeat("0", 32), parts[3]}, "_")).refused(t, "unauthorized", "GET", "/api/me", nil)
	newAPI(w.base, strings.Join([]string{parts[0], strings.Repeat("0", len(parts[1])), parts[2], parts[3]}, "_")).refused(t, "unauthorized", "GET", "/api/me", nil)

	list := admin.must(t, 200, "GET", "/api/keys", nil)
	if strings.Contains(string(list.body), parts[3]) || !strings.Contains(string(list.body), key.ID) {
		t.Errorf("the list is %s", list)
	}
	short := admin.must(t, 201, "POST", "/api/keys", raw(`{"name":"brief","role":"viewer","ttl":1}`))
	var brief struct{ Key string }
	if err := short.into(&brief); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the key expires", func() error {
		got, err := newAPI(w.base, brief.Key).do(t.Context(), "GET", "/api/me", nil)
		if err == nil && got.status != 401 {
			err = fmt.Errorf("%s", got)
		}
		return err
	})
	for body, code := range map[string]string{
		`{}`: "invalid", `{"name":"x"}`: "invalid", `{"name":"x","role":"king"}`: "invalid", `{"name":"","role":"viewer"}`: "invalid",
		`{"name":"x","role":"viewer","ttl":0}`: "invalid", `{"name":"x","role":"viewer","ttl":-1}`: "invalid", `{"name":"x","role":"viewer","ttl":"1h"}`: "bad_request",
		`{"name":"x","role":"viewer","scope":1}`: "bad_request", `{"name":"x","role":"viewer","ttl":99999999999999999999}`: "invalid",
	} {
		t.Run(body, func(t *testing.T) { admin.refused(t, code, "POST", "/api/keys", raw(body)) })
	}
	// Nobody makes a key that may more than they may.
	admin.refused(t, "forbidden", "POST", "/api/keys", raw(`{"name":"x","role":"owner"}`))
	never := admin.must(t, 201, "POST", "/api/keys", raw(`{"name":"for ever","role":"viewer"}`))
	if got := string(member(t, never.body, "expires_at")); got != "null" {
		t.Errorf("expires_at is %s", got)
	}
	// It has just been used, and ends with the answer all the same.
	robot.must(t, 200, "GET", "/api/me", nil)
	admin.must(t, 204, "DELETE", "/api/keys/"+key.ID, nil)
	robot.refused(t, "unauthorized", "GET", "/api/me", nil)
	admin.refused(t, "not_found", "DELETE", "/api/keys/"+strings.Repeat("0", 32), nil)
	w.as("other", "eve", "owner").refused(t, "not_found", "DELETE", "/api/keys/"+key.ID, nil)
}

// TestContractMembers: a member is anyone whose token for the tenant was seen.
func TestContractMembers(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "annotator")
	ada.must(t, 200, "GET", "/api/me", nil)
	ada.refused(t, "not_found", "GET", "/api/users/bob", nil)
	odd := "auth0|b/o b"
	newAPI(w.base, bearer(claims{"tenant": "acme", "sub": odd, "name": "Bob", "role": "reviewer"})).must(t, 200, "GET", "/api/images", nil)
	for _, path := range []string{"/api/users/auth0%7Cb%2Fo%20b", "/api/users/auth0%7Cb/o%20b"} {
		eventually(t, path, func() error {
			got, err := ada.do(t.Context(), "GET", path, nil)
			if err != nil {
				return err
			}
			var user struct {
				ID, Name, Role string
				LastSeenAt     string `json:"last_seen_at"`
			}
			if err := got.into(&user); err != nil || got.status != 200 {
				return fmt.Errorf("%s", got)
			}
			if keys := keysOf(t, got.body); fmt.Sprint(keys) != "[id last_seen_at name role]" || user.ID != odd || user.Name != "Bob" || user.Role != "reviewer" {
				t.Errorf("got %s", got)
			}
			if _, err := time.Parse("2006-01-02T15:04:05.000Z", user.LastSeenAt); err != nil {
				t.Error(err)
			}
			return nil
		})
	}
}

// TestContractJWKS: RS256, ES256 and EdDSA keys, issuer and audience.
func TestContractJWKS(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(claims{"keys": []claims{
			{"kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256", "n": b64(rsaKey.N.Bytes()), "e": b64(big.NewInt(int64(rsaKey.E)).Bytes())},
			{"kty": "EC", "kid": "e", "use": "sig", "alg": "ES256", "crv": "P-256", "x": b64(ecKey.X.FillBytes(make([]byte, 32))), "y": b64(ecKey.Y.FillBytes(make([]byte, 32)))},
			{"kty": "OKP", "kid": "d", "use": "sig", "alg": "EdDSA", "crv": "Ed25519", "x": b64(edPublic)},
		}})
	}))
	t.Cleanup(keys.Close)
	signed := func(alg, kid string, c claims, sign func(text []byte) ([]byte, error)) string {
		h, _ := json.Marshal(claims{"alg": alg, "kid": kid})
		b, _ := json.Marshal(c)
		text := b64(h) + "." + b64(b)
		sig, err := sign([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + b64(sig)
	}
	rs := func(text []byte) ([]byte, error) {
		sum := sha256.Sum256(text)
		return rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, sum[:])
	}
	es := func(text []byte) ([]byte, error) {
		sum := sha256.Sum256(text)
		r, s, err := ecdsa.Sign(rand.Reader, ecKey, sum[:])
		if err != nil {
			return nil, err
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
	}
	ed := func(text []byte) ([]byte, error) { return ed25519.Sign(edKey, text), nil }

	w := newSite(t, "--jwks-url="+keys.URL, "--jwt-issuer=https://issuer", "--jwt-audience=easel")
	body := func(more claims) claims {
		c := claims{"sub": "ada", "tenant": "acme", "exp": time.Now().Add(time.Hour).Unix(), "iss": "https://issuer", "aud": "easel"}
		for k, v := range more {
			c[k] = v
		}
		return c
	}
	good := map[string]string{
		"RS256": signed("RS256", "r", body(nil), rs), "ES256": signed("ES256", "e", body(nil), es), "EdDSA": signed("EdDSA", "d", body(nil), ed),
		"audiences": signed("EdDSA", "d", body(claims{"aud": []string{"other", "easel"}}), ed),
		"HS256 too": sign(signingSecret, claims{"alg": "HS256"}, body(nil)),
	}
	for name, tok := range good {
		t.Run(name, func(t *testing.T) { newAPI(w.base, tok).must(t, 200, "GET", "/api/me", nil) })
	}
	for name, tok := range map[string]string{
		"issuer":          signed("RS256", "r", body(claims{"iss": "https://evil"}), rs),
		"audience":        signed("RS256", "r", body(claims{"aud": "other"}), rs),
		"kid":             signed("RS256", "x", body(nil), rs),
		"kid of another":  signed("RS256", "e", body(nil), rs),
		"exp":             signed("RS256", "r", body(claims{"exp": time.Now().Add(-time.Hour).Unix()}), rs),
		"HS256 audience":  sign(signingSecret, claims{"alg": "HS256"}, body(claims{"aud": "other"})),
		"HS256 of public": sign(string(rsaKey.N.Bytes()), claims{"alg": "HS256", "kid": "r"}, body(nil)),
	} {
		t.Run("bad "+name, func(t *testing.T) { newAPI(w.base, tok).refused(t, "unauthorized", "GET", "/api/me", nil) })
	}
	// easel token knows issuer and audience.
	_, out, _ := run(t, nil, "token", "--data="+w.data, "--jwt-secret="+signingSecret, "--jwt-issuer=https://issuer", "--jwt-audience=easel", "--user=ada")
	newAPI(w.base, strings.TrimSpace(out)).must(t, 200, "GET", "/api/me", nil)
}
