package gateway

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// tokenRequest asks for a token: a guest's, an operator's for anybody, or a
// new one for a refresh token.
type tokenRequest struct {
	Role         auth.Role `json:"role"`
	Subject      string    `json:"subject,omitempty"`
	RefreshToken string    `json:"refresh_token,omitempty"`
}

type tokenAnswer struct {
	Token        string    `json:"token"`
	Role         auth.Role `json:"role"`
	Subject      string    `json:"subject"`
	ExpiresAt    int64     `json:"expires_at"` // ms since 1970 UTC
	RefreshToken string    `json:"refresh_token,omitempty"`
}

const besideRefresh = "It is not sent beside refresh_token, which says whose it is."

// refreshToken is what a refresh token looks like.
var refreshToken = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// token is POST /v1/tokens, for programs.
func (g *gateway) token(c *gin.Context) error {
	var in tokenRequest
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}

	id, refresh, err := g.tokenIdentity(c, in)
	if err != nil {
		return err
	}

	expires := time.Now().Add(auth.MaxLife)
	token, err := g.cfg.Auth.Sign(id, auth.MaxLife)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, tokenAnswer{Token: token, Role: id.Role, Subject: id.Subject, ExpiresAt: expires.UnixMilli(), RefreshToken: refresh})
	return nil
}

// tokenIdentity returns whom the token is for, and a guest's refresh token.
func (g *gateway) tokenIdentity(c *gin.Context, in tokenRequest) (id auth.Identity, refresh string, err error) {
	ctx, operatorKey := c.Request.Context(), c.GetHeader("X-Operator-Key")
	if in.RefreshToken != "" {
		switch {
		case !refreshToken.MatchString(in.RefreshToken):
			return id, "", problem.Field("refresh_token", "It is the refresh_token of an answer before, unchanged.")
		case in.Role != "":
			return id, "", problem.Field("role", besideRefresh)
		case in.Subject != "":
			return id, "", problem.Field("subject", besideRefresh)
		}

		id, err = g.store.session(ctx, refreshSession, in.RefreshToken)
		if errors.Is(err, errNoSession) {
			err = g.unknown(c.Request, errLogin)
		}
		return id, "", err
	}

	if !in.Role.Valid() {
		return id, "", problem.Field("role", "%q is not a role; there are viewer, rider, driver, importer, service and admin.", in.Role)
	}
	if operatorKey != "" {
		id, err = g.operatorIdentity(c, in, operatorKey)
		return id, "", err
	}
	if in.Subject != "" {
		return id, "", problem.Field("subject", "Only the operator names it; without the operator's key you are given one.")
	}

	switch in.Role {
	case auth.Viewer:
		return anonymous, "", nil
	case auth.Rider, auth.Driver:
		// Each guest is an account and a session: rows that stay for a month.
		if err := g.guests.Admit(httpserver.Client(c.Request)); err != nil {
			return id, "", err
		}
		id = guest(in.Role)
		refresh, err = g.store.newSession(ctx, refreshSession, id)
		return id, refresh, err
	}
	return id, "", problem.New(problem.Forbidden, "The role %q takes the operator's key, in the header X-Operator-Key.", in.Role)
}

// operatorIdentity returns the identity that the holder of the operator's key
// asks for.
func (g *gateway) operatorIdentity(c *gin.Context, in tokenRequest, key string) (auth.Identity, error) {
	// In constant time: how long it takes must not tell how much of a guess is
	// right.
	if g.cfg.OperatorKey == "" || subtle.ConstantTimeCompare([]byte(key), []byte(g.cfg.OperatorKey)) != 1 {
		// Only wrong ones count: who holds the key is never kept waiting by who guesses.
		if err := g.guesses.Admit(httpserver.Client(c.Request)); err != nil {
			return auth.Identity{}, err
		}
		return auth.Identity{}, problem.New(problem.Forbidden, "That is not the operator's key.")
	}

	id := auth.Identity{Role: in.Role, Subject: in.Subject}
	if in.Role == auth.Viewer && id.Subject == "" {
		return anonymous, nil
	}
	if err := checkSubject(id.Subject); err != nil {
		return id, err
	}

	// Services and importers have no account: nobody signs in as one.
	if id.Role == auth.Rider || id.Role == auth.Driver || id.Role == auth.Admin {
		return id, g.store.ensureAccount(c.Request.Context(), id)
	}
	return id, nil
}
