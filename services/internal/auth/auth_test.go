package auth

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

func signer(t *testing.T, key string) *Signer {
	t.Helper()
	k, err := NewSigner([]byte(strings.Repeat(key, 32)))
	require.NoError(t, err)
	return k
}

func TestTokensSayWhoAndExpire(t *testing.T) {
	k := signer(t, "a")
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	k.now = func() time.Time { return now }
	id := Identity{Subject: "rider-1", Role: Rider}
	token, err := k.Sign(id, time.Hour)
	require.NoError(t, err)
	got, err := k.Verify(token)
	require.NoError(t, err)
	require.Equal(t, id, got)
	now = now.Add(MaxLife + time.Second)
	_, err = k.Verify(token)
	require.ErrorIs(t, err, ErrExpired, "an hour was asked for; 15 minutes are the most")
}

func TestForgedTokensAreRefused(t *testing.T) {
	k := signer(t, "a")
	other, err := signer(t, "b").Sign(Identity{Subject: "x", Role: Admin}, time.Minute)
	require.NoError(t, err)
	c := claims{Role: Admin, RegisteredClaims: jwt.RegisteredClaims{Issuer: issuer, Subject: "x", ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Minute))}}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, c).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	c.Role = "king"
	badRole, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte(strings.Repeat("a", 32)))
	require.NoError(t, err)
	signed := func(c claims) string {
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte(strings.Repeat("a", 32)))
		require.NoError(t, err)
		return token
	}
	at := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(time.Now().Add(d)) }
	elsewhere := claims{Role: Admin, RegisteredClaims: jwt.RegisteredClaims{Issuer: issuer, Subject: "x", Audience: jwt.ClaimStrings{"another"}, IssuedAt: at(0), ExpiresAt: at(time.Minute)}}
	unaddressed, unissued, tooLong, early, endless := elsewhere, elsewhere, elsewhere, elsewhere, elsewhere
	unaddressed.Audience = nil
	for _, c := range []*claims{&unissued, &tooLong, &early, &endless} {
		c.Audience = jwt.ClaimStrings{"tandem"}
	}
	unissued.IssuedAt, endless.ExpiresAt = nil, nil
	tooLong.ExpiresAt = at(MaxLife + time.Minute)
	early.IssuedAt, early.ExpiresAt = at(5*time.Minute), at(10*time.Minute)
	for name, c := range map[string]claims{"for another": elsewhere, "for nobody": unaddressed, "never issued": unissued, "too long a life": tooLong, "without an end": endless, "issued in the future": early} {
		_, err := k.Verify(signed(c))
		require.ErrorIs(t, err, ErrInvalid, name)
	}
	for name, token := range map[string]string{"another key": other, "no signature": none, "unknown role": badRole, "empty": "", "noise": "a.b.c"} {
		_, err := k.Verify(token)
		require.ErrorIs(t, err, ErrInvalid, name)
	}
	_, err = NewSigner([]byte("short"))
	require.Error(t, err)
	_, err = k.Sign(Identity{Subject: "", Role: Rider}, time.Minute)
	require.Error(t, err)
}

func TestAMACNeedsTheKeyThePurposeAndAllOfTheData(t *testing.T) {
	a, err := NewSigner([]byte(strings.Repeat("a", 32)))
	require.NoError(t, err)
	b, err := NewSigner([]byte(strings.Repeat("b", 32)))
	require.NoError(t, err)

	mac := func(s *Signer, purpose string, data ...string) string {
		m, err := s.MAC(purpose, data...)
		require.NoError(t, err)
		require.Len(t, m, 32)
		return string(m)
	}
	one := mac(a, "code", "id", "123456")
	require.Equal(t, one, mac(a, "code", "id", "123456"))
	for name, another := range map[string]string{
		"key": mac(b, "code", "id", "123456"), "purpose": mac(a, "other", "id", "123456"),
		"data": mac(a, "code", "id", "123457"), "where it is cut": mac(a, "code", "id1", "23456"),
	} {
		require.NotEqual(t, one, another, name)
	}
}
