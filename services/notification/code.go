package notification

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"math/big"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"tandem/services/internal/auth"
)

// What a code may do, and how many texts strangers can make us pay for. A day is
// the last 24 hours, by the database's clock.
const (
	codeLife  = 10 * time.Minute
	codeTries = 5

	codesPerRider = 5 // a day
	codesPerPhone = 5 // a day, whichever riders ask: a number that is no rider's is not pestered
	codesInAll    = 1000

	// smsPerRider texts about rides are sent to a rider a day: ten rides' worth.
	smsPerRider = 40
)

// verifier proves that a rider holds the phone: it sends a code there, and is told
// the code.
type verifier struct {
	store *store
	sms   smsSender
	pace  *rate.Limiter // of texts, in this process
	keyed *auth.Signer
}

// send sends a new code to the rider's phone. Only the newest code counts. Errors:
// errNoPhone, errVerified, *cappedError, errSMS (and errNeverDelivered with it).
func (v *verifier) send(ctx context.Context, rider string) error {
	id, code := uuid.NewString(), newCode()
	mac, err := v.mac(id, code)
	if err != nil {
		return err
	}

	// Counted before it is sent, so that many requests at once cannot pass the caps.
	c, err := v.store.addCode(ctx, rider, id, mac)
	if err != nil {
		return err
	}

	if err := v.sendCode(ctx, c, code); err != nil {
		// Nobody has the code, and it uses up nothing: SNS may be away.
		if e := v.store.dropCode(context.WithoutCancel(ctx), id); e != nil {
			return fmt.Errorf("%w: %w; and its code still counts: %w", errSMS, err, e)
		}
		return fmt.Errorf("%w: %w", errSMS, err)
	}
	return nil
}

func (v *verifier) sendCode(ctx context.Context, to contact, code string) error {
	if err := v.pace.Wait(ctx); err != nil {
		return err
	}
	_, err := v.sms.Send(ctx, to.Phone, codeText(to.Language, code))
	return err
}

// confirm verifies the rider's phone if code is the newest one that was sent there.
// Errors: errNoCode, *wrongCodeError.
func (v *verifier) confirm(ctx context.Context, rider, code string) error {
	// The try is counted and committed before the code is compared, so that many
	// guesses at once are no more than codeTries.
	open, err := v.store.tryCode(ctx, rider)
	if err != nil {
		return err
	}

	mac, err := v.mac(open.id, code)
	if err != nil {
		return err
	}

	if !hmac.Equal(mac, open.mac) {
		return &wrongCodeError{left: codeTries - open.tries}
	}
	return v.store.verify(ctx, rider, open)
}

// mac is kept in place of a code. A plain hash of six digits would be undone by
// trying them all; a code's id makes equal codes differ.
func (v *verifier) mac(id, code string) ([]byte, error) {
	return v.keyed.MAC("phone code", id, code)
}

// newCode returns six random digits.
func newCode() string {
	const codes = 1_000_000
	n, _ := rand.Int(rand.Reader, big.NewInt(codes)) // its reader never fails
	return fmt.Sprintf("%06d", n)
}
