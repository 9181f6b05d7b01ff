package ride

import (
	"encoding/json"
	"hash/fnv"
	"time"

	"tandem/services/domain/geo"
)

// Place is one end of a ride.
type Place struct {
	geo.Point
	Label string `json:"label,omitempty"`
}

// Money is an amount in the currency's smallest unit.
type Money struct {
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"` // ISO 4217
}

// Ride is one ride, as the API shows it.
type Ride struct {
	ID          string     `json:"id"`
	State       State      `json:"state"`
	Attempt     int        `json:"attempt"`
	RiderID     string     `json:"rider_id"`
	DriverID    string     `json:"driver_id,omitempty"`
	Vehicle     *Vehicle   `json:"vehicle,omitempty"`
	Pickup      Place      `json:"pickup"`
	Dropoff     Place      `json:"dropoff"`
	DistanceM   int64      `json:"distance_m"`
	DurationS   int64      `json:"duration_s"`
	Price       Money      `json:"price"`
	RequestedAt time.Time  `json:"requested_at"`
	AssignedAt  *time.Time `json:"assigned_at,omitempty"`
	ArrivedAt   *time.Time `json:"arrived_at,omitempty"`
	PickedUpAt  *time.Time `json:"picked_up_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	ExpiresAt   time.Time  `json:"expires_at"`
	EndReason   string     `json:"end_reason,omitempty"`
	Offer       *Offer     `json:"offer,omitempty"` // the open one

	// EndedByOperator says whose words EndReason is.
	EndedByOperator bool `json:"-"`

	wakeAt      *time.Time
	traceparent string // of the trace that it is in; empty: in none
}

// Offer is a ride offered to one driver until a deadline.
type Offer struct {
	ID        string    `json:"id"`
	DriverID  string    `json:"driver_id"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Event is one line of a ride's history.
type Event struct {
	Seq     int64           `json:"seq"`
	RideID  string          `json:"ride_id"`
	Kind    EventKind       `json:"kind"`
	At      time.Time       `json:"at"`
	By      string          `json:"by"`
	Attempt int             `json:"attempt"`
	Data    json.RawMessage `json:"data"`
}

// DriverState is what a driver's app shows.
type DriverState struct {
	DriverID string       `json:"driver_id"`
	OnDuty   bool         `json:"on_duty"`
	Offer    *DriverOffer `json:"offer,omitempty"`
	Ride     *Ride        `json:"ride,omitempty"`
}

// DriverOffer is an offer with the ride that it is about.
type DriverOffer struct {
	ID        string    `json:"id"`
	Ride      Ride      `json:"ride"`
	MadeAt    time.Time `json:"made_at"`
	ExpiresAt time.Time `json:"expires_at"`
	At        time.Time `json:"at"` // now, by the clock of the two above: a phone's may be another
}

// Vehicle is a driver's car.
type Vehicle struct {
	Plate  string `json:"plate"`
	Model  string `json:"model"`
	Colour string `json:"colour"`
}

// VehicleOf returns the car of a driver, always the same for the same id. There is no
// register of cars in this application; a real one would look it up.
func VehicleOf(driverID string) *Vehicle {
	if driverID == "" {
		return nil
	}

	h := fnv.New64a()
	_, _ = h.Write([]byte(driverID)) // a hash never fails
	n := h.Sum64()

	models := [...]string{"Chevrolet Onix", "Fiat Cronos", "Hyundai HB20", "Peugeot 208", "Renault Kwid", "Toyota Yaris", "Volkswagen Gol", "BYD Dolphin"}
	colours := [...]string{"white", "silver", "grey", "black", "red", "blue"}

	letters := [...]byte{'S', 'B' + byte(n>>8%5), 'A' + byte(n>>16%26)}
	digits := n >> 24 % 9000

	return &Vehicle{
		Plate:  string(letters[:]) + " " + fourDigits(digits+1000),
		Model:  models[n>>40%uint64(len(models))],
		Colour: colours[n>>48%uint64(len(colours))],
	}
}

func fourDigits(n uint64) string {
	return string([]byte{'0' + byte(n/1000%10), '0' + byte(n/100%10), '0' + byte(n/10%10), '0' + byte(n%10)})
}
