package booking

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/ride"
	"tandem/services/internal/httpserver"
)

// answerRide answers with what the asker may see of a ride, and its ETag. A GET whose
// If-None-Match has that ETag is answered with 304 and no body.
func answerRide(c *gin.Context, status int, r ride.Ride) error {
	body, err := json.Marshal(redactFor(httpserver.Identity(c), r))
	if err != nil {
		return fmt.Errorf("booking: encode ride: %w", err)
	}

	// Of the answer and not of the row: two who may see different things of one ride
	// have different tags, and what an asker does not see changes no tag of theirs.
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	c.Header("ETag", tag)

	if c.Request.Method == http.MethodGet && matches(c.Request.Header.Values("If-None-Match"), tag) {
		c.Status(http.StatusNotModified)
		return nil
	}
	c.Data(status, "application/json; charset=utf-8", body)
	return nil
}

// matches reports whether one of the tags is tag, or *. The comparison is the weak one
// (RFC 9110, 13.1.2): a proxy that compresses makes a tag weak.
func matches(headers []string, tag string) bool {
	for _, header := range headers {
		for one := range strings.SplitSeq(header, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}
