package sqs

// rateSpan is the number of seconds that rates are averaged over.
const rateSpan = 10

// rates counts what happened to a queue in each of the last seconds.
type rates struct {
	seconds [rateSpan + 1]second
	empty   int64 // receives that returned nothing, ever
	again   int64 // deleted messages that were delivered once more, ever
}

type second struct {
	at int64 // since 1970
	n  Rates
}

// Rates is per second, over the last ten whole seconds.
type Rates struct {
	Sent          float64 `json:"sent"`
	Received      float64 `json:"received"`
	Deleted       float64 `json:"deleted"`
	EmptyReceives float64 `json:"empty_receives"`
}

// now returns the counts of the second that at (ms) is in, to add to.
func (r *rates) now(at int64) *Rates {
	// One second more than rateSpan is kept: the one that runs.
	s := &r.seconds[at/1000%int64(len(r.seconds))]
	if s.at != at/1000 {
		*s = second{at: at / 1000}
	}
	return &s.n
}

// over returns the rates of the last whole seconds: the one that runs is left out.
func (r *rates) over(at int64) (out Rates) {
	for _, s := range r.seconds {
		if age := at/1000 - s.at; age >= 1 && age <= rateSpan {
			out.Sent += s.n.Sent
			out.Received += s.n.Received
			out.Deleted += s.n.Deleted
			out.EmptyReceives += s.n.EmptyReceives
		}
	}

	for _, n := range [...]*float64{&out.Sent, &out.Received, &out.Deleted, &out.EmptyReceives} {
		*n /= rateSpan
	}
	return out
}
