package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/auth"
)

var (
	first  = []byte("first-secret-of-at-least-32-bytes!!")
	second = []byte("second-secret-of-at-least-32-bytes!")
	noon   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

func clock() time.Time { return noon }

func newTokens(t *testing.T, cfg auth.TokenConfig) *auth.Tokens {
	t.Helper()
	if cfg.Secrets == nil {
		cfg.Secrets = [][]byte{first, second}
	}
	cfg.Now = clock
	tokens, err := auth.NewTokens(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// hs256 signs header and payload as they are, well-formed or not.
func hs256(header, payload string, secret []byte) string {
	text := b64(header) + "." + b64(payload)
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

const (
	plain = `{"alg":"HS256","typ":"JWT"}`
	exp   = `"exp":1795266000` // some hours after noon
)

func TestTokenOfOneUserIsPersonal(t *testing.T) {
	tokens := newTokens(t, auth.TokenConfig{})
	got, err := tokens.Verify(t.Context(), hs256(plain, `{"sub":"ada",`+exp+`}`, second))
	if err != nil {
		t.Fatal(err)
	}
	want := easel.Principal{
		Tenant: auth.Personal("", "ada"), TenantName: "user:ada", User: "ada", Name: "ada",
		Role: easel.Owner, Expires: time.Unix(1795266000, 0),
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTokenClaims(t *testing.T) {
	tokens := newTokens(t, auth.TokenConfig{})
	tests := []struct {
		name, payload, tenant, display string
		role                           easel.Role
	}{
		{"team without a role", `{"sub":"a","tenant":"acme",` + exp + `}`, "acme", "a", easel.Annotator},
		{"team with a role", `{"sub":"a","tenant":"acme","role":"admin",` + exp + `}`, "acme", "a", easel.Admin},
		{"personal viewer", `{"sub":"a","role":"viewer",` + exp + `}`, "user:a", "a", easel.Viewer},
		{"name", `{"sub":"a","name":"Ada L.",` + exp + `}`, "user:a", "Ada L.", easel.Owner},
		{"name with control characters", `{"sub":"a","name":" A\u0000d\u001ba ",` + exp + `}`, "user:a", "Ada", easel.Owner},
		{"date with a fraction", `{"sub":"a","exp":1795266000.5}`, "user:a", "a", easel.Owner},
		{"unknown claims", `{"sub":"a","scope":["x"],"x":null,` + exp + `}`, "user:a", "a", easel.Owner},
		{"not before the past", `{"sub":"a","nbf":1,"iat":1,` + exp + `}`, "user:a", "a", easel.Owner},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := tokens.Verify(t.Context(), hs256(plain, tt.payload, first))
			if err != nil {
				t.Fatal(err)
			}
			if p.TenantName != tt.tenant || p.Role != tt.role || p.Name != tt.display {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestHostileTokensAreRefused(t *testing.T) {
	tokens := newTokens(t, auth.TokenConfig{})
	good := `{"sub":"a",` + exp + `}`
	valid := hs256(plain, good, first)
	if _, err := tokens.Verify(t.Context(), valid); err != nil {
		t.Fatalf("the token that the others are variants of: %v", err)
	}
	head, rest, _ := strings.Cut(valid, ".")
	payload, mac, _ := strings.Cut(rest, ".")
	text512 := b64(`{"alg":"HS512"}`) + "." + b64(good)
	m512 := hmac.New(sha512.New, first)
	m512.Write([]byte(text512))

	tests := map[string]string{
		"empty":                     "",
		"dots":                      "..",
		"one segment":               "abc",
		"four segments":             valid + ".x",
		"JWE of five":               "a.b.c.d.e",
		"none":                      b64(`{"alg":"none"}`) + "." + b64(good) + ".",
		"None":                      b64(`{"alg":"None"}`) + "." + b64(good) + ".",
		"nOnE":                      b64(`{"alg":"nOnE"}`) + "." + b64(good) + ".",
		"no signature":              head + "." + payload + ".",
		"none with a signature":     hs256(`{"alg":"none"}`, good, first),
		"HS512":                     text512 + "." + base64.RawURLEncoding.EncodeToString(m512.Sum(nil)),
		"lower-case alg":            hs256(`{"alg":"hs256"}`, good, first),
		"RS256 without a JWKS":      hs256(`{"alg":"RS256"}`, good, first),
		"alg missing":               hs256(`{"typ":"JWT"}`, good, first),
		"alg null":                  hs256(`{"alg":null}`, good, first),
		"alg a number":              hs256(`{"alg":256}`, good, first),
		"alg twice":                 hs256(`{"alg":"HS256","alg":"HS256"}`, good, first),
		"header no object":          hs256(`["HS256"]`, good, first),
		"header null":               hs256(`null`, good, first),
		"header with a tail":        hs256(plain+`{}`, good, first),
		"crit":                      hs256(`{"alg":"HS256","crit":["x"],"x":1}`, good, first),
		"crit empty":                hs256(`{"alg":"HS256","crit":[]}`, good, first),
		"crit null":                 hs256(`{"alg":"HS256","crit":null}`, good, first),
		"crit b64":                  hs256(`{"alg":"HS256","crit":["b64"],"b64":false}`, good, first),
		"kid a number":              hs256(`{"alg":"HS256","kid":1}`, good, first),
		"wrong secret":              hs256(plain, good, []byte("a third secret of at least 32 bytes")),
		"empty secret":              hs256(plain, good, nil),
		"secret named by kid":       hs256(`{"alg":"HS256","kid":"../../dev/null"}`, good, nil),
		"own key in the header":     hs256(`{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`, good, []byte{0, 0, 0}),
		"padded header":             b64(plain) + "=." + payload + "." + mac,
		"padded signature":          valid + "=",
		"standard base64 alphabet":  strings.ReplaceAll(strings.ReplaceAll(valid, "-", "+"), "_", "/") + "+",
		"line break in a segment":   head + ".\n" + payload + "." + mac,
		"space before":              " " + valid,
		"spare bits in the MAC":     flipSpareBits(valid),
		"no exp":                    hs256(plain, `{"sub":"a"}`, first),
		"exp null":                  hs256(plain, `{"sub":"a","exp":null}`, first),
		"exp past":                  hs256(plain, `{"sub":"a","exp":1}`, first),
		"exp now":                   hs256(plain, `{"sub":"a","exp":1795262400}`, first),
		"exp zero":                  hs256(plain, `{"sub":"a","exp":0}`, first),
		"exp negative":              hs256(plain, `{"sub":"a","exp":-1795266000}`, first),
		"exp 1e308":                 hs256(plain, `{"sub":"a","exp":1e308}`, first),
		"exp 1e999":                 hs256(plain, `{"sub":"a","exp":1e999}`, first),
		"exp a string":              hs256(plain, `{"sub":"a","exp":"1795266000"}`, first),
		"exp true":                  hs256(plain, `{"sub":"a","exp":true}`, first),
		"exp twice":                 hs256(plain, `{"sub":"a","exp":1,`+exp+`}`, first),
		"nbf later":                 hs256(plain, `{"sub":"a","nbf":1795265000,`+exp+`}`, first),
		"nbf 1e308":                 hs256(plain, `{"sub":"a","nbf":1e308,`+exp+`}`, first),
		"iat a string":              hs256(plain, `{"sub":"a","iat":"x",`+exp+`}`, first),
		"no sub":                    hs256(plain, `{`+exp+`}`, first),
		"sub empty":                 hs256(plain, `{"sub":"",`+exp+`}`, first),
		"sub null":                  hs256(plain, `{"sub":null,`+exp+`}`, first),
		"sub a number":              hs256(plain, `{"sub":7,`+exp+`}`, first),
		"sub an object":             hs256(plain, `{"sub":{"$ne":1},`+exp+`}`, first),
		"sub twice":                 hs256(plain, `{"sub":"a","sub":"b",`+exp+`}`, first),
		"sub with NUL":              hs256(plain, `{"sub":"a\u0000b",`+exp+`}`, first),
		"sub too long":              hs256(plain, `{"sub":"`+strings.Repeat("a", 257)+`",`+exp+`}`, first),
		"Sub in capitals":           hs256(plain, `{"Sub":"a",`+exp+`}`, first),
		"tenant of a user":          hs256(plain, `{"sub":"a","tenant":"user:b",`+exp+`}`, first),
		"tenant of oneself":         hs256(plain, `{"sub":"a","tenant":"user:a",`+exp+`}`, first),
		"tenant empty":              hs256(plain, `{"sub":"a","tenant":"",`+exp+`}`, first),
		"tenant null":               hs256(plain, `{"sub":"a","tenant":null,`+exp+`}`, first),
		"tenant a list":             hs256(plain, `{"sub":"a","tenant":["x"],`+exp+`}`, first),
		"tenant with NUL":           hs256(plain, `{"sub":"a","tenant":"x\u0000y",`+exp+`}`, first),
		"role unknown":              hs256(plain, `{"sub":"a","role":"root",`+exp+`}`, first),
		"role empty":                hs256(plain, `{"sub":"a","role":"",`+exp+`}`, first),
		"role in capitals":          hs256(plain, `{"sub":"a","role":"Owner",`+exp+`}`, first),
		"role null":                 hs256(plain, `{"sub":"a","role":null,`+exp+`}`, first),
		"name a number":             hs256(plain, `{"sub":"a","name":5,`+exp+`}`, first),
		"repeated key deep down":    hs256(plain, `{"sub":"a","x":{"y":1,"y":2},`+exp+`}`, first),
		"claims no object":          hs256(plain, `"a"`, first),
		"claims null":               hs256(plain, `null`, first),
		"claims with a tail":        hs256(plain, good+`{"sub":"b"}`, first),
		"claims with invalid UTF-8": hs256(plain, "{\"sub\":\"\xff\","+exp+"}", first),
		"lone surrogate":            hs256(plain, `{"sub":"\ud800",`+exp+`}`, first),
		"nested JWS":                hs256(`{"alg":"HS256","cty":"JWT"}`, `"`+valid+`"`, first),
		"deep nesting":              hs256(plain, strings.Repeat("[", 11_000), first),
		"a megabyte":                hs256(plain, `{"sub":"a","x":"`+strings.Repeat("x", 1<<20)+`",`+exp+`}`, first),
	}
	for name, token := range tests {
		t.Run(name, func(t *testing.T) {
			if p, err := tokens.Verify(t.Context(), token); err == nil {
				t.Errorf("accepted as %+v", p)
			}
		})
	}
}

// flipSpareBits changes the bits of the last character that decode to nothing:
// a 32-byte MAC leaves two.
func flipSpareBits(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[i^1])
}

func TestIssuerAndAudienceAreCheckedWhenSet(t *testing.T) {
	tokens := newTokens(t, auth.TokenConfig{Issuer: "https://id.example", Audience: "easel"})
	tests := []struct {
		name, payload string
		ok            bool
	}{
		{"both", `{"sub":"a","iss":"https://id.example","aud":"easel",` + exp + `}`, true},
		{"audience among others", `{"sub":"a","iss":"https://id.example","aud":["x","easel"],` + exp + `}`, true},
		{"neither", `{"sub":"a",` + exp + `}`, false},
		{"other issuer", `{"sub":"a","iss":"https://id.example/","aud":"easel",` + exp + `}`, false},
		{"other audience", `{"sub":"a","iss":"https://id.example","aud":"easel2",` + exp + `}`, false},
		{"audience an object", `{"sub":"a","iss":"https://id.example","aud":{"easel":1},` + exp + `}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tokens.Verify(t.Context(), hs256(plain, tt.payload, first)); (err == nil) != tt.ok {
				t.Errorf("got error %v, want ok %v", err, tt.ok)
			}
		})
	}
	own, err := tokens.Sign(auth.Grant{User: "a", TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Verify(t.Context(), own); err != nil {
		t.Errorf("own token: %v", err)
	}
}

func TestSignRefusesWhatWouldNotVerify(t *testing.T) {
	tokens := newTokens(t, auth.TokenConfig{})
	for name, g := range map[string]auth.Grant{
		"no user":         {TTL: time.Hour},
		"no time":         {User: "a"},
		"personal tenant": {User: "a", Tenant: "user:a", TTL: time.Hour},
		"unknown role":    {User: "a", Role: "boss", TTL: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			if token, err := tokens.Sign(g); err == nil {
				t.Errorf("signed %q", token)
			}
		})
	}
}

func TestShortSecretIsRefused(t *testing.T) {
	short := []byte(strings.Repeat("s", 31))
	_, err := auth.NewTokens(t.Context(), auth.TokenConfig{Secrets: [][]byte{first, short}})
	if err == nil || !strings.Contains(err.Error(), "secret 2") {
		t.Errorf("got %v", err)
	}
	if _, err := auth.NewTokens(t.Context(), auth.TokenConfig{Secrets: [][]byte{append(short, 's')}}); err != nil {
		t.Errorf("32 bytes: %v", err)
	}
}

func TestTenantsOfDifferentKindsAndIssuersNeverMeet(t *testing.T) {
	seen := map[easel.TenantID]string{}
	for name, id := range map[string]easel.TenantID{
		"team":            auth.Team("", "x"),
		"user":            auth.Personal("", "x"),
		"team of issuer":  auth.Team("https://a", "x"),
		"team of other":   auth.Team("https://b", "x"),
		"user of issuer":  auth.Personal("https://a", "x"),
		"other team":      auth.Team("", "X"),
		"name with slash": auth.Team("", "x/y"),
	} {
		if !easel.ID(id).Valid() {
			t.Errorf("%s: %q is not 32 hex characters", name, id)
		}
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s meet", name, other)
		}
		seen[id] = name
	}
}

func TestKeysOfAKeyServer(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edPub, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	ecPoint, err := ecKey.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "kid": "r", "alg": "RS256", "n": enc(rsaKey.N.Bytes()), "e": "AQAB"},
		{"kty": "EC", "kid": "e", "alg": "ES256", "crv": "P-256", "x": enc(ecPoint[1:33]), "y": enc(ecPoint[33:])},
		{"kty": "OKP", "kid": "d", "alg": "EdDSA", "crv": "Ed25519", "x": enc(edPub)},
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(set); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	tokens := newTokens(t, auth.TokenConfig{JWKSURL: server.URL})

	sign := func(method jwt.SigningMethod, kid string, key crypto.PrivateKey) string {
		token := jwt.NewWithClaims(method, jwt.MapClaims{"sub": "a", "iss": "https://id.example", "tenant": "t", "exp": 1795266000})
		token.Header["kid"] = kid
		s, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	public, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	payload := `{"sub":"a",` + exp + `}`
	tests := []struct {
		name, token string
		ok          bool
	}{
		{"RS256", sign(jwt.SigningMethodRS256, "r", rsaKey), true},
		{"ES256", sign(jwt.SigningMethodES256, "e", ecKey), true},
		{"EdDSA", sign(jwt.SigningMethodEdDSA, "d", edKey), true},
		{"HS256 of the own secret", hs256(plain, payload, first), true},
		{"RS512", sign(jwt.SigningMethodRS512, "r", rsaKey), false},
		{"PS256", sign(jwt.SigningMethodPS256, "r", rsaKey), false},
		{"kid of another kind of key", sign(jwt.SigningMethodRS256, "e", rsaKey), false},
		{"HS256 with the public key as secret", hs256(`{"alg":"HS256","kid":"r"}`, payload, publicPEM), false},
		{"HS256 with the modulus as secret", hs256(`{"alg":"HS256","kid":"r"}`, payload, rsaKey.N.Bytes()), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := tokens.Verify(t.Context(), tt.token)
			if (err == nil) != tt.ok {
				t.Fatalf("got error %v, want ok %v", err, tt.ok)
			}
			if tt.ok && strings.Contains(tt.name, "S256") == false && p.Tenant != auth.Team("https://id.example", "t") {
				t.Errorf("tenant %s is not of the issuer", p.Tenant)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	tokens, err := auth.NewTokens(f.Context(), auth.TokenConfig{Secrets: [][]byte{first}, Now: clock})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain, `{"sub":"a",`+exp+`}`)
	f.Add(`{"alg":"HS256","crit":["x"]}`, `{"sub":"a","tenant":"user:x","exp":1e308}`)
	f.Add(`{}`, `[]`)
	f.Fuzz(func(t *testing.T, header, payload string) {
		// Signed with the right secret, so that the content is what decides.
		p, err := tokens.Verify(t.Context(), hs256(header, payload, first))
		if err != nil {
			return
		}
		if p.User == "" || p.Name == "" || !p.Role.Valid() || !easel.ID(p.Tenant).Valid() || !p.Expires.After(noon) {
			t.Errorf("accepted %s %s as %+v", header, payload, p)
		}
		if _, err := tokens.Verify(t.Context(), header+"."+payload); err == nil {
			t.Errorf("accepted without a signature")
		}
	})
}
