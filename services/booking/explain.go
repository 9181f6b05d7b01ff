package booking

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"tandem/services/domain/ride"
	"tandem/services/internal/problem"
)

// notText reports whether Postgres has refused the characters of a text.
func notText(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "22021" || pg.Code == "22P05") // not in the encoding; U+0000 in jsonb
}

// explain maps package ride's errors to what a client may know.
func explain(err error) error {
	var many *ride.TooManyOpenError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ride.ErrNotFound):
		return problem.Wrap(err, problem.NotFound, "There is no such ride or offer of yours.")
	case errors.Is(err, ride.ErrOffer):
		return problem.Wrap(err, problem.Gone, "The offer is no longer open: it was answered, its time has passed, or the ride was cancelled.")
	case errors.Is(err, ride.ErrKeyReused):
		p := problem.Wrap(err, problem.Unprocessable, "This Idempotency-Key was used for another booking. A new booking takes a new key.")
		p.Field = "Idempotency-Key"
		return p
	// No 429: to send the same request again is of no use before the rider has done
	// something, or a ride has ended.
	case errors.As(err, &many):
		p := problem.Wrap(err, problem.Conflict, "You have %d rides open, and one rider may have no more. Wait until one has ended, or cancel one.", many.MaxOpen)
		p.RetryAfter = max(many.Ends, 10*time.Second)
		return p
	case errors.Is(err, ride.ErrBusy):
		return problem.Wrap(err, problem.Conflict, "You have a ride or an offer. Finish or answer it, then go off duty.")
	// Somebody was faster. Which rule it was is of no use to the client: it reads the
	// ride again.
	case errors.Is(err, ride.ErrState), errors.Is(err, ride.ErrAttempt), errors.Is(err, ride.ErrTaken), errors.Is(err, ride.ErrDriver):
		return problem.Wrap(err, problem.Conflict, "The ride has moved on: that is not possible in its present state. Look at it again.")
	case notText(err):
		return problem.Wrap(err, problem.Invalid, "A text has a character that cannot be kept: U+0000, or bytes that are not UTF-8.")
	}
	return err // internal/httpserver answers 500 without detail
}
