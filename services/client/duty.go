package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tandem/services/internal/httpclient"
	"tandem/services/internal/problem"
)

// Offer is a ride that a driver may take.
type Offer struct {
	ID        string    `json:"id"`
	Ride      Ride      `json:"ride"`
	ExpiresAt time.Time `json:"expires_at"`
}

// DriverState is what booking knows of a driver.
type DriverState struct {
	DriverID string `json:"driver_id"`
	OnDuty   bool   `json:"on_duty"`
	Offer    *Offer `json:"offer"`
	Ride     *Ride  `json:"ride"`
}

// Duty goes on or off duty.
func (s *Session) Duty(ctx context.Context, on bool) (st DriverState, err error) {
	in := map[string]any{"on_duty": on}
	if s.driver != "" {
		in["driver_id"] = s.driver
	}
	_, err = s.http.Do(ctx, httpclient.Request{Method: http.MethodPut, Path: "/v1/drivers/me/duty", In: in, Out: &st})
	return st, err
}

// DriverState asks for the driver's offer and ride.
func (s *Session) DriverState(ctx context.Context) (st DriverState, err error) {
	err = s.http.Get(ctx, s.onBehalf("/v1/drivers/me"), &st)
	return st, err
}

// Accept takes an offer. problem.Gone: it was too late.
func (s *Session) Accept(ctx context.Context, offerID string) (r Ride, err error) {
	err = s.post(ctx, "/v1/offers/"+url.PathEscape(offerID)+"/accept", struct{}{}, &r)
	return r, err
}

// Refuse turns an offer down.
func (s *Session) Refuse(ctx context.Context, offerID string) error {
	return s.post(ctx, "/v1/offers/"+url.PathEscape(offerID)+"/refuse", struct{}{}, nil)
}

// Watch calls fn with the driver's state at once and on every change, until
// ctx ends. It connects again when the stream breaks; the state after that is
// the state as it is then.
func (s *Session) Watch(ctx context.Context, fn func(DriverState)) error {
	return s.watch(ctx, "/v1/drivers/me/events", fn)
}

// WatchAll calls fn with the state of every driver whose id begins with
// prefix; it takes an importer's session.
func (s *Session) WatchAll(ctx context.Context, prefix string, fn func(DriverState)) error {
	return s.watch(ctx, "/v1/drivers/events?prefix="+url.QueryEscape(prefix), fn)
}

const reconnectIn = time.Second

func (s *Session) watch(ctx context.Context, path string, fn func(DriverState)) error {
	for ctx.Err() == nil {
		if err := s.watchOnce(ctx, path, fn); err != nil && !maySucceedLater(err) {
			return err
		}

		// Without the pause, a gateway that is away would be asked in a busy loop.
		select {
		case <-ctx.Done():
		case <-time.After(reconnectIn):
		}
	}
	return nil
}

// watchOnce reads one connection until it ends.
func (s *Session) watchOnce(ctx context.Context, path string, fn func(DriverState)) error {
	for e, err := range s.http.Events(ctx, path, "") {
		if err != nil {
			return err
		}

		var st DriverState
		if err := json.Unmarshal(e.Data, &st); err != nil {
			return fmt.Errorf("watch: the state cannot be read: %w", err)
		}
		fn(st)
	}
	return nil
}

// maySucceedLater reports whether watching is worth another try. Only what
// names the caller's own mistake is final: a driver that stopped listening would
// let every offer time out.
func maySucceedLater(err error) bool {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Code != problem.Forbidden && p.Code != problem.Invalid
	}
	return Temporary(err)
}
