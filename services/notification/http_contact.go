package notification

import (
	"errors"
	"math"
	"net/http"
	"regexp"
	"strconv"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// contactHTTP is GET /v1/contact.
func (s *store) contactHTTP(c *gin.Context) error {
	kept, err := contactOf(c.Request.Context(), s.pool, httpserver.Identity(c).Subject)
	if err != nil {
		return err
	}

	c.JSON(http.StatusOK, kept)
	return nil
}

// putContactHTTP is PUT /v1/contact. It answers with the contact as it is kept; an
// empty phone means no more texts.
func (s *store) putContactHTTP(c *gin.Context) error {
	var in struct {
		Phone    *phone `json:"phone"`
		Language string `json:"language"`
	}
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}

	if in.Phone == nil || *in.Phone != "" && !in.Phone.valid() { // left out is not taken back
		return problem.Field("phone", "Write it with + and the country's number, digits only, like +59899123456; empty for no texts.")
	}

	if in.Language != spanish && in.Language != english {
		return problem.Field("language", "It is es or en.")
	}

	// The rider is the token's, so nobody sets another's phone.
	kept, err := s.putContact(c.Request.Context(), httpserver.Identity(c).Subject, contact{Phone: *in.Phone, Language: in.Language})
	if err != nil {
		return err
	}

	c.JSON(http.StatusOK, kept)
	return nil
}

// sendHTTP is POST /v1/contact/code.
func (v *verifier) sendHTTP(c *gin.Context) error {
	err := v.send(c.Request.Context(), httpserver.Identity(c).Subject)

	var capped *cappedError
	switch {
	case err == nil:
		c.Status(http.StatusNoContent)
		return nil
	case errors.Is(err, errNoPhone):
		return problem.New(problem.Conflict, "Leave a number first, with PUT /v1/contact.")
	case errors.Is(err, errVerified):
		return problem.New(problem.Conflict, "This number is verified already.")
	case errors.As(err, &capped):
		c.Header("Retry-After", strconv.Itoa(int(math.Ceil(capped.again.Seconds()))))
		return problem.New(problem.TooMany, "Too many codes were asked for by %s in 24 hours. Try again later.", capped.by)
	case errors.Is(err, errNeverDelivered):
		return problem.Wrap(err, problem.Invalid, "This number cannot get texts.")
	case errors.Is(err, errSMS):
		return problem.Wrap(err, problem.Unavailable, "The text could not be sent. Try again in a moment.")
	}
	return err
}

var sixDigits = regexp.MustCompile(`^[0-9]{6}$`)

// confirmHTTP is POST /v1/contact/verify. It answers with the contact.
func (v *verifier) confirmHTTP(c *gin.Context) error {
	var in struct {
		Code string `json:"code"`
	}
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}

	if !sixDigits.MatchString(in.Code) {
		return problem.Field("code", "It is the six digits of the text.")
	}

	var wrong *wrongCodeError
	err := v.confirm(c.Request.Context(), httpserver.Identity(c).Subject, in.Code)
	switch {
	case err == nil:
		return v.store.contactHTTP(c)
	case errors.Is(err, errNoCode):
		return problem.New(problem.Gone, "There is no code to confirm: it was used, tried too often, is too old, or went to another number. Ask for a new one.")
	case errors.As(err, &wrong):
		return problem.Field("code", "That is not the newest code. Tries left: %d.", wrong.left)
	}
	return err
}
