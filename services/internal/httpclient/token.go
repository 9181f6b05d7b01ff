package httpclient

import (
	"context"
	"sync"
	"time"

	"tandem/services/internal/auth"
)

// TokenSource returns the token of a request that is about to be sent.
type TokenSource func(context.Context) (string, error)

// Signed returns a source that signs for id: one service speaks for itself, or
// for the person who asks it. A token lives a minute, longer than any request.
func Signed(signer *auth.Signer, id auth.Identity) TokenSource {
	return func(context.Context) (string, error) { return signer.Sign(id, time.Minute) }
}

// renewBefore is how long before its end a token is no longer used.
const renewBefore = time.Minute

// Fetched returns a source that keeps the token that fetch returned until it is
// about to expire. It is safe for concurrent use.
func Fetched(fetch func(context.Context) (token string, expires time.Time, err error)) TokenSource {
	var (
		mu      sync.Mutex
		token   string
		expires time.Time
	)
	return func(ctx context.Context) (string, error) {
		// The lock is held while fetching: whoever else needs the token waits for
		// this one instead of asking for another.
		mu.Lock()
		defer mu.Unlock()
		if time.Until(expires) > renewBefore {
			return token, nil
		}

		fresh, until, err := fetch(ctx)
		if err != nil {
			return "", err
		}
		token, expires = fresh, until
		return token, nil
	}
}
