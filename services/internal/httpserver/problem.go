package httpserver

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"tandem/services/internal/postgres"
	"tandem/services/internal/problem"
)

// WriteProblem answers with err as a problem document: the one place where an
// error becomes an answer. Handlers return their errors and need not call it;
// it is for what stands before a handler, such as a reverse proxy.
func WriteProblem(w http.ResponseWriter, err error) {
	p := mapError(err)
	writeProblem(w, p.Code.Status(), p)
}

// mapError turns an error into what its client may see.
func mapError(err error) *problem.Error {
	var tooLarge *http.MaxBytesError
	var p *problem.Error
	switch {
	case errors.As(err, &tooLarge):
		return problem.New(problem.TooLarge, "The body may have at most %d bytes.", tooLarge.Limit)
	case errors.As(err, &p):
		return p
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return problem.Wrap(err, problem.Unavailable, "It took too long. Try again.")
	case postgres.Away(err):
		return problem.Wrap(err, problem.Unavailable, "A part of Tandem is restarting. Try again in a second.")
	case postgres.Busy(err):
		return problem.Wrap(err, problem.Unavailable, "Too many want the same at once. Try again in a second.")
	}
	return problem.From(err)
}

func writeProblem(w http.ResponseWriter, status int, p *problem.Error) {
	body, err := p.MarshalJSON()
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"title":"Internal Server Error","status":500,"code":"internal"}`)
	}

	w.Header().Set("Content-Type", problem.ContentType)
	wait := p.RetryAfter
	if p.Code == problem.Unavailable && wait == 0 {
		wait = time.Second // what is away is being restarted
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // this fails only when the client has gone
}

// seconds rounds up: a client that comes back too early is refused again.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
