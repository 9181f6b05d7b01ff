package httpserver

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/problem"
)

// Answer returns a Handler that writes what find returns as JSON. It is for
// routes of packages that must not know gin.
func Answer(find func(r *http.Request) (any, error)) Handler {
	return func(c *gin.Context) error {
		v, err := find(c.Request)
		if err != nil {
			return err
		}
		c.JSON(http.StatusOK, v)
		return nil
	}
}

// TimeParam reads a query parameter that is a time: RFC 3339, or milliseconds
// since 1970. Where it is not given, it is missing.
func TimeParam(c *gin.Context, name string, missing time.Time) (time.Time, error) {
	q := c.Query(name)
	if q == "" {
		return missing, nil
	}

	// A number of more than 13 digits is microseconds or finer, sent by mistake: it
	// is refused below.
	if ms, err := strconv.ParseInt(q, 10, 64); err == nil && ms >= 0 && ms < 1e13 {
		return time.UnixMilli(ms), nil
	}
	t, err := time.Parse(time.RFC3339Nano, q)
	if err != nil {
		return time.Time{}, problem.Field(name, "It is a time like 2026-11-24T12:00:00.000Z, or milliseconds since 1970.")
	}
	return t, nil
}
