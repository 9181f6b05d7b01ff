// Package auth signs and verifies the short-lived tokens (JWT, HS256) that every
// route and socket asks for. It knows no HTTP framework.
//
// All services of one deployment share one signing key; a token says who
// (subject) and as what (role). Tokens live for at most MaxLife.
package auth

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Role is what a token lets its holder do.
type Role string

// The roles. A viewer sees the moving map and nothing of any person.
const (
	Viewer   Role = "viewer"   // anybody with a browser, before any login
	Rider    Role = "rider"    // books; sees only its own rides
	Driver   Role = "driver"   // writes only its own location
	Importer Role = "importer" // tools/feed: writes recorded points and rides for many people
	Service  Role = "service"  // one service asking another
	Admin    Role = "admin"    // operates
)

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool {
	switch r {
	case Viewer, Rider, Driver, Importer, Service, Admin:
		return true
	}
	return false
}

// Identity is who a checked token speaks for.
type Identity struct {
	Subject string
	Role    Role
}

// Errors of Verify.
var (
	ErrExpired = errors.New("the token has expired")
	ErrInvalid = errors.New("the token is not valid")
)

// MaxLife is the longest that a token may live.
const MaxLife = 15 * time.Minute

const (
	issuer    = "tandem"
	audience  = "tandem" // every service of the deployment
	minKeyLen = 32
	// skew is how far the clock of who signed may be ahead.
	skew = 30 * time.Second
)

// Signer signs and verifies tokens with one key. It is safe for concurrent use.
type Signer struct {
	key []byte
	now func() time.Time
}

// NewSigner returns a Signer with the deployment's signing key, which has at least
// 32 bytes.
func NewSigner(key []byte) (*Signer, error) {
	if len(key) < minKeyLen {
		return nil, fmt.Errorf("auth: the signing key has %d bytes, needs at least %d", len(key), minKeyLen)
	}
	return &Signer{key: key, now: time.Now}, nil
}

type claims struct {
	Role Role `json:"role"`
	jwt.RegisteredClaims
}

// Sign returns a token for id that is valid for life, and at most for MaxLife.
func (s *Signer) Sign(id Identity, life time.Duration) (string, error) {
	if !id.Role.Valid() || id.Subject == "" {
		return "", fmt.Errorf("auth: cannot sign for role %q, subject %q", id.Role, id.Subject)
	}

	now := s.now()
	c := claims{Role: id.Role, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: id.Subject,
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(min(life, MaxLife))),
	}}

	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("auth: sign: %w", err)
	}
	return token, nil
}

// Verify checks a token and returns whom it speaks for. The error is ErrExpired or
// wraps ErrInvalid.
func (s *Signer) Verify(token string) (Identity, error) {
	var c claims

	// The algorithm is named: a token's own header must not choose it.
	_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return s.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.now))

	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Identity{}, ErrExpired
	case err != nil:
		return Identity{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	case !c.Role.Valid() || c.Subject == "":
		return Identity{}, ErrInvalid
	case c.IssuedAt == nil || c.IssuedAt.After(s.now().Add(skew)) || c.ExpiresAt.Sub(c.IssuedAt.Time) > MaxLife:
		// Whoever signed it, it is not one of Sign's.
		return Identity{}, ErrInvalid
	}
	return Identity{Subject: c.Subject, Role: c.Role}, nil
}

// MAC returns a keyed hash of data, for what is too short to be safe under a plain
// hash: without the signing key nobody finds the data by trying. Each purpose has a
// key of its own.
func (s *Signer) MAC(purpose string, data ...string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, s.key, nil, issuer+" "+purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("auth: derive a key: %w", err)
	}

	h := hmac.New(sha256.New, key)
	for _, d := range data {
		// With its length, so that "1", "23" is not "12", "3".
		_, _ = fmt.Fprintf(h, "%d %s", len(d), d)
	}
	return h.Sum(nil), nil
}

type contextKey struct{}

// WithIdentity returns a context that carries a verified identity.
func WithIdentity(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// FromContext returns the identity that WithIdentity put into ctx.
func FromContext(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(contextKey{}).(Identity)
	return id, ok
}
