package history

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/event"
	"tandem/services/domain/geo"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

const (
	maxPlayback = time.Hour   // of one request: the numbers of a page count from its beginning
	maxStep     = time.Minute // each slice is read from the beginning of its step
)

// playbackHTTP answers with a page of what all drivers did in a viewport and a span of
// arrivals: binary (doc.go has the layout), or JSON where that is asked for.
func (s *store) playbackHTTP(c *gin.Context) error {
	p, err := playbackParams(c)
	if err != nil {
		return err
	}
	after := place{arrived: p.from}
	if q := c.Query("after"); q != "" {
		var ok bool
		if after, ok = parsePlace(q); !ok || after.arrived.Before(p.from) || after.arrived.After(p.to) {
			return problem.Field("after", "It is the next of the page before, of the same from and to.")
		}
	}

	// What is no longer here is not shown as a quiet city.
	kept, err := s.keptSince(c.Request.Context(), p.from, p.to)
	if err != nil {
		return err
	}
	if !kept {
		return problem.New(problem.Gone, "Not all points of this span are kept any more: they are for %.0f hours from their arrival.", s.keep.Hours())
	}

	page, next, err := s.play(c.Request.Context(), p, after)
	if err != nil {
		return err
	}

	token := ""
	if next != nil {
		token = next.String()
	}
	// Private, since a shared cache does not check tokens; and it has two forms.
	c.Header("Cache-Control", "private, no-store")
	c.Header("Vary", "Accept")
	if c.NegotiateFormat("application/octet-stream", gin.MIMEJSON) == gin.MIMEJSON {
		answer := gin.H{"points": append([]played{}, page...)}
		if token != "" {
			answer["next"] = token
		}
		c.JSON(http.StatusOK, answer)
		return nil
	}
	c.Data(http.StatusOK, "application/octet-stream", encodePlayback(p.from, page, token))
	return nil
}

func playbackParams(c *gin.Context) (p playback, err error) {
	var ok bool
	if p.box, ok = geo.ParseBox(c.Query("box")); !ok {
		return p, problem.Field("box", "It is west,south,east,north in degrees, like -56.25,-34.95,-56.1,-34.85.")
	}

	if p.from, err = timeOf(c, "from"); err != nil {
		return p, err
	}
	if p.to, err = timeOf(c, "to"); err != nil {
		return p, err
	}
	switch span := p.to.Sub(p.from); {
	case span < 0:
		return p, problem.Field("from", "It is after to.")
	case span > maxPlayback:
		return p, problem.Field("from", "The span from `from` to `to` is at most an hour.")
	}

	if q := c.Query("step"); q != "" {
		seconds, err := strconv.Atoi(q)
		if p.step = time.Duration(seconds) * time.Second; err != nil || p.step < time.Second || p.step > maxStep {
			return p, problem.Field("step", "It is a number of seconds from 1 to %d.", maxStep/time.Second)
		}
	}
	p.limit, err = limitParam(c, maxPage)
	return p, err
}

// timeOf returns a parameter that may not be missing, as exact as Postgres has it.
func timeOf(c *gin.Context, name string) (time.Time, error) {
	t, err := httpserver.TimeParam(c, name, time.Time{})
	if err == nil && t.IsZero() {
		err = problem.Field(name, "It is missing: a time like 2026-11-24T12:00:00.000Z, or milliseconds since 1970.")
	}
	return t.UTC().Truncate(time.Microsecond), err
}

// String is what a client sends to go on: opaque to it.
func (p place) String() string {
	return strconv.FormatInt(p.arrived.UnixMicro(), 10) + "." + strconv.FormatInt(p.seq, 10) + "." + p.driver
}

// parsePlace reads what String wrote, and reports whether it is such.
func parsePlace(s string) (place, bool) {
	parts := strings.SplitN(s, ".", 3)
	if len(parts) != 3 || parts[2] != "" && !event.ValidID(parts[2]) {
		return place{}, false
	}
	micros, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return place{}, false
	}
	seq, err := strconv.ParseInt(parts[1], 10, 64)
	return place{time.UnixMicro(micros).UTC(), parts[2], seq}, err == nil
}
