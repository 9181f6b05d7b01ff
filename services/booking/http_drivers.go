package booking

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"tandem/services/domain/event"
	"tandem/services/domain/ride"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/problem"
)

// driver is GET /v1/drivers/me.
func (s *service) driver(c *gin.Context) error {
	driver, err := auth.ActingDriver(httpserver.Identity(c), c.Query("driver_id"), event.ValidID)
	if err != nil {
		return err
	}

	st, err := s.rides.Driver(c.Request.Context(), driver)
	if err != nil {
		return explain(err)
	}

	c.JSON(http.StatusOK, st)
	return nil
}

// earnings is GET /v1/drivers/me/earnings: what the driver's rides of today come to.
func (s *service) earnings(c *gin.Context) error {
	driver, err := auth.ActingDriver(httpserver.Identity(c), c.Query("driver_id"), event.ValidID)
	if err != nil {
		return err
	}

	e, err := s.rides.Earnings(c.Request.Context(), driver)
	if err != nil {
		return explain(err)
	}

	c.JSON(http.StatusOK, e)
	return nil
}

type dutyRequest struct {
	OnDuty   *bool  `json:"on_duty"`
	DriverID string `json:"driver_id,omitempty"`
}

// duty is PUT /v1/drivers/me/duty.
func (s *service) duty(c *gin.Context) error {
	var in dutyRequest
	if err := httpserver.Bind(c, &in); err != nil {
		return err
	}
	if in.OnDuty == nil { // left out is not false
		return problem.Field("on_duty", "Say true or false.")
	}
	driver, err := auth.ActingDriver(httpserver.Identity(c), in.DriverID, event.ValidID)
	if err != nil {
		return err
	}

	st, err := s.rides.SetDuty(c.Request.Context(), driver, *in.OnDuty)
	if err != nil {
		return explain(err)
	}

	c.JSON(http.StatusOK, st)
	return nil
}

func (s *service) accept(c *gin.Context) error { return s.answer(c, ride.ActAccept) }
func (s *service) refuse(c *gin.Context) error { return s.answer(c, ride.ActRefuse) }

// answer accepts or refuses the offer of the path. To accept it twice has the
// effect and the answer of once.
func (s *service) answer(c *gin.Context, kind ride.ActionKind) error {
	ctx, id := c.Request.Context(), httpserver.Identity(c)
	mine := id.Subject
	if id.Role == auth.Importer { // it acts for every driver of the fleet
		mine = ""
	}

	rideID, driver, err := s.rides.OfferRide(ctx, c.Param("id"), mine)
	if err != nil {
		return explain(err)
	}

	r, err := s.rides.Do(ctx, rideID, ride.Action{Kind: kind, Driver: driver, Offer: c.Param("id")}, actor(id))
	// The first answer may have been lost on its way: if the driver has this ride,
	// the accept succeeded before.
	if err != nil && kind == ride.ActAccept {
		if now, getErr := s.rides.Get(ctx, rideID); getErr == nil && now.State == ride.Assigned && now.DriverID == driver {
			r, err = now, nil
		}
	}
	if err != nil {
		return explain(err)
	}

	return answerRide(c, http.StatusOK, r)
}
