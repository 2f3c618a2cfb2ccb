package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/easelhq/easel"
)

// MinSecret is the least length of an HS256 secret, in bytes.
const MinSecret = 32

// TokenConfig says which tokens are good.
type TokenConfig struct {
	Secrets  [][]byte         // HS256: the first signs, all verify; MinSecret bytes each
	JWKSURL  string           // RS256, ES256 and EdDSA keys; "": none
	Issuer   string           // checked when set
	Audience string           // checked when set
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger     // nil: silent
}

// Tokens verifies and signs JWTs.
type Tokens struct {
	cfg    TokenConfig
	parser *jwt.Parser
	jwks   keyfunc.Keyfunc // nil without a URL
}

// NewTokens checks the configuration and, with a JWKS URL, fetches the keys and
// keeps them fresh until ctx ends. A key server that is away is no error: its
// tokens are refused until it answers.
func NewTokens(ctx context.Context, cfg TokenConfig) (*Tokens, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if len(cfg.Secrets) == 0 && cfg.JWKSURL == "" {
		return nil, errors.New("auth: neither a secret nor a key server")
	}
	var methods []string
	for i, s := range cfg.Secrets {
		if len(s) < MinSecret {
			return nil, fmt.Errorf("auth: secret %d has %d bytes, fewer than %d", i+1, len(s), MinSecret)
		}
	}
	if len(cfg.Secrets) > 0 {
		methods = append(methods, jwt.SigningMethodHS256.Alg())
	}
	t := &Tokens{cfg: cfg}
	if cfg.JWKSURL != "" {
		methods = append(methods, jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg(), jwt.SigningMethodEdDSA.Alg())
		keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{cfg.JWKSURL}, keyfunc.Override{
			HTTPTimeout:     10 * time.Second,
			RefreshInterval: 5 * time.Minute,
			// A token with an unknown kid asks the key server again, but strangers
			// must not be able to make it many requests, nor to wait in line.
			RefreshUnknownKID: rate.NewLimiter(rate.Every(5*time.Second), 4),
			RateLimitWaitMax:  time.Second,
			RefreshErrorHandlerFunc: func(url string) func(context.Context, error) {
				return func(ctx context.Context, err error) {
					cfg.Logger.ErrorContext(ctx, "key server does not answer", "url", url, "err", err)
				}
			},
		})
		if err != nil {
			return nil, fmt.Errorf("fetch keys from %s: %w", cfg.JWKSURL, err)
		}
		t.jwks = keys
	}
	// Without the list golang-jwt takes HS512 for HS256, and without the next
	// option tokens that never expire.
	options := []jwt.ParserOption{
		jwt.WithValidMethods(methods), jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(cfg.Now),
	}
	if cfg.Issuer != "" {
		options = append(options, jwt.WithIssuer(cfg.Issuer))
	}
	if cfg.Audience != "" {
		options = append(options, jwt.WithAudience(cfg.Audience))
	}
	t.parser = jwt.NewParser(options...)
	return t, nil
}

// Verify returns who the token speaks for. The error says what is wrong with
// it, for the log only.
func (t *Tokens) Verify(ctx context.Context, token string) (easel.Principal, error) {
	return t.verify(token, func(token *jwt.Token) (any, error) {
		// The key is chosen by the algorithm, which is one of the list already, so
		// that a public key can never serve as a secret.
		if token.Method == jwt.SigningMethodHS256 {
			return t.secrets(token)
		}
		return t.jwks.KeyfuncCtx(ctx)(token)
	})
}

func (t *Tokens) secrets(*jwt.Token) (any, error) {
	set := jwt.VerificationKeySet{}
	for _, s := range t.cfg.Secrets {
		set.Keys = append(set.Keys, s)
	}
	return set, nil
}

func (t *Tokens) verify(token string, keys jwt.Keyfunc) (easel.Principal, error) {
	if len(token) > maxToken {
		return easel.Principal{}, badToken("longer than %d bytes", maxToken)
	}
	if err := checkHeader(token); err != nil {
		return easel.Principal{}, err
	}
	var c claims
	parsed, err := t.parser.ParseWithClaims(token, &c, keys)
	if err != nil {
		return easel.Principal{}, fmt.Errorf("verify token: %w", err)
	}
	issuer := ""
	if parsed.Method != jwt.SigningMethodHS256 {
		issuer = deref(c.set.Iss)
	}
	return c.principal(issuer)
}

// Grant is what a token to be signed says. Empty fields are left out.
type Grant struct {
	User   string
	Tenant string // "": the user's personal tenant
	Role   easel.Role
	Name   string
	TTL    time.Duration
}

// Sign returns a token signed with the first secret, good for g.TTL. It refuses
// to sign what Verify would refuse.
func (t *Tokens) Sign(g Grant) (string, error) {
	if len(t.cfg.Secrets) == 0 {
		return "", errors.New("auth: no secret to sign with")
	}
	now := t.cfg.Now()
	set := jwt.MapClaims{"sub": g.User, "iat": now.Unix(), "exp": now.Add(g.TTL).Unix()}
	for name, v := range map[string]string{
		"tenant": g.Tenant, "role": string(g.Role), "name": g.Name,
		"iss": t.cfg.Issuer, "aud": t.cfg.Audience,
	} {
		if v != "" {
			set[name] = v
		}
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, set).SignedString(t.cfg.Secrets[0])
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	if _, err := t.verify(token, t.secrets); err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return token, nil
}
