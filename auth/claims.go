package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"

	"github.com/easelhq/easel"
)

// Bounds of what a credential may say, in bytes.
const (
	maxToken = 16 << 10 // of a whole credential
	maxName  = 256      // of a user, a tenant, an issuer
	maxLabel = 512      // of a display name
)

// maxDate is the first second of the year 10000: later dates are not dates.
const maxDate = 253402300800

// errClaims is wrapped by everything that is wrong with a token's content.
var errClaims = errors.New("auth: bad token content")

func badToken(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errClaims, fmt.Sprintf(format, args...))
}

// header is the part of a token's header that Easel looks at.
type header struct {
	Alg  *string        `json:"alg"`
	Typ  *string        `json:"typ"`
	Kid  *string        `json:"kid"`
	Crit jsontext.Value `json:"crit"`
}

// checkHeader refuses a header that is not one JSON object without repeated
// names (a second "alg" could be read by somebody else), and any "crit":
// extensions must be understood, and Easel understands none (RFC 7515, 4.1.11).
func checkHeader(token string) error {
	segment, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return badToken("header is not base64url")
	}
	var h header
	if err := json.Unmarshal(raw, &h); err != nil {
		return badToken("header: %v", err)
	}
	if jsontext.Value(raw).Kind() != '{' || h.Alg == nil {
		return badToken("header names no alg")
	}
	if h.Crit != nil {
		return badToken("crit names an unknown extension")
	}
	return nil
}

// date is a NumericDate: seconds since 1970 that may have a fraction.
type date float64

// UnmarshalJSON takes a JSON number that is a date, and nothing else.
func (d *date) UnmarshalJSON(b []byte) error {
	var v float64
	if jsontext.Value(b).Kind() != '0' {
		return errors.New("a date is a number")
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	if math.IsNaN(v) || v < 0 || v >= maxDate {
		return errors.New("a date is from 1970 to 9999")
	}
	*d = date(v)
	return nil
}

func (d *date) numeric() *jwt.NumericDate {
	if d == nil {
		return nil
	}
	return jwt.NewNumericDate(time.UnixMicro(int64(float64(*d) * 1e6)))
}

// text is a string claim: null is not one.
type text string

// UnmarshalJSON takes a JSON string and nothing else.
func (t *text) UnmarshalJSON(b []byte) error {
	if jsontext.Value(b).Kind() != '"' {
		return errors.New("not a string")
	}
	return json.Unmarshal(b, (*string)(t))
}

// claimSet is the JSON of the claims that Easel reads. Null is absent only
// where the pointer is nil already, so tokens with a null claim are looked at
// by fields.
type claimSet struct {
	Sub    *text            `json:"sub"`
	Exp    *date            `json:"exp"`
	Nbf    *date            `json:"nbf"`
	Iat    *date            `json:"iat"`
	Iss    *text            `json:"iss"`
	Aud    jwt.ClaimStrings `json:"aud"`
	Tenant *text            `json:"tenant"`
	Role   *text            `json:"role"`
	Name   *text            `json:"name"`
}

// claims implements jwt.Claims over a strictly decoded claimSet.
type claims struct{ set claimSet }

// read decodes the claims: one object, no repeated name at any depth, valid
// UTF-8, and no known claim that is null.
func (c *claims) read(b []byte) error {
	var present map[string]jsontext.Value
	if err := json.Unmarshal(b, &present); err != nil {
		return badToken("claims: %v", err)
	}
	for _, name := range []string{"sub", "exp", "nbf", "iat", "iss", "aud", "tenant", "role", "name"} {
		if v, ok := present[name]; ok && v.Kind() == 'n' {
			return badToken("claim %s is null", name)
		}
	}
	if err := json.Unmarshal(b, &c.set); err != nil {
		return badToken("claims: %v", err)
	}
	return nil
}

// UnmarshalJSON is what the jwt package calls with the claims' bytes.
func (c *claims) UnmarshalJSON(b []byte) error { return c.read(b) }

// GetExpirationTime implements jwt.Claims.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.set.Exp.numeric(), nil }

// GetIssuedAt implements jwt.Claims.
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error) { return c.set.Iat.numeric(), nil }

// GetNotBefore implements jwt.Claims.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) { return c.set.Nbf.numeric(), nil }

// GetIssuer implements jwt.Claims.
func (c *claims) GetIssuer() (string, error) { return deref(c.set.Iss), nil }

// GetSubject implements jwt.Claims.
func (c *claims) GetSubject() (string, error) { return deref(c.set.Sub), nil }

// GetAudience implements jwt.Claims.
func (c *claims) GetAudience() (jwt.ClaimStrings, error) { return c.set.Aud, nil }

func deref(t *text) string {
	if t == nil {
		return ""
	}
	return string(*t)
}

// principal applies the rules of a token's claims. issuer is "" unless the
// token was signed with a key of a JWKS.
func (c *claims) principal(issuer string) (easel.Principal, error) {
	sub := deref(c.set.Sub)
	if !plainName(sub) {
		return easel.Principal{}, badToken("sub is missing or not a name")
	}
	if issuer != "" && !plainName(issuer) {
		return easel.Principal{}, badToken("iss is not a name")
	}
	p := easel.Principal{User: sub, Name: display(deref(c.set.Name), sub), Expires: c.set.Exp.numeric().Time}
	if c.set.Tenant == nil {
		p.Tenant, p.TenantName, p.Role = Personal(issuer, sub), PersonalPrefix+sub, easel.Owner
	} else {
		name := deref(c.set.Tenant)
		if !plainName(name) || strings.HasPrefix(name, PersonalPrefix) {
			return easel.Principal{}, badToken("tenant is not a team's name")
		}
		p.Tenant, p.TenantName, p.Role = Team(issuer, name), name, easel.Annotator
	}
	if c.set.Role != nil {
		p.Role = easel.Role(deref(c.set.Role))
		if !p.Role.Valid() {
			return easel.Principal{}, badToken("unknown role")
		}
	}
	return p, nil
}

// plainName reports whether s may name a user, a tenant or an issuer: 1 to 256
// bytes of UTF-8 without control characters (NUL separates names in hashes).
func plainName(s string) bool {
	return s != "" && len(s) <= maxName && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// display returns what others are shown of a user: the name without control
// characters, cut to a sane length, or else the user's id.
func display(name, sub string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, name))
	if len(name) > maxLabel {
		name = strings.ToValidUTF8(name[:maxLabel], "")
	}
	if name == "" {
		return sub
	}
	return name
}
