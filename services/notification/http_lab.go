package notification

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// turnHTTP is PUT /v1/lab/double-sms.
func (l *lab) turnHTTP(c *gin.Context) error {
	var in struct {
		On *bool `json:"on"`
	}
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}

	if in.On == nil { // left out is not false
		return problem.Field("on", "Say true or false.")
	}

	if !l.allowed {
		return problem.New(problem.Forbidden, "This is for learning, and not on AWS: there a text costs money and somebody reads it.")
	}

	out := gin.H{"on": *in.On}
	if until := l.turn(*in.On, time.Now()); !until.IsZero() {
		out["until"] = until.UTC()
	}

	c.JSON(http.StatusOK, out)
	return nil
}
