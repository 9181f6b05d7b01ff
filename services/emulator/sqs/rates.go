package sqs

// rateSpan is over how many seconds rates are taken.
const rateSpan = 10

// rates counts what happened to a queue in each of the last seconds.
type rates struct {
	seconds [rateSpan + 1]second
	empty   int64 // receives that gave nothing, ever
}

type second struct {
	at                      int64 // since 1970
	sent, received, deleted int
	empty                   int
}

func (r *rates) now(at int64) *second {
	n := at / 1000
	s := &r.seconds[n%int64(len(r.seconds))]
	if s.at != n {
		*s = second{at: n}
	}
	return s
}

func (r *rates) sent(at int64, n int)    { r.now(at).sent += n }
func (r *rates) deleted(at int64, n int) { r.now(at).deleted += n }
func (r *rates) received(at int64, n int) {
	if n == 0 {
		r.empty++
		r.now(at).empty++
	}
	r.now(at).received += n
}

// Rates is per second, over the last ten whole seconds.
type Rates struct {
	Sent          float64 `json:"sent"`
	Received      float64 `json:"received"`
	Deleted       float64 `json:"deleted"`
	EmptyReceives float64 `json:"empty_receives"`
}

func (r *rates) over(at int64) (out Rates) {
	for _, s := range r.seconds {
		if age := at/1000 - s.at; age >= 1 && age <= rateSpan {
			out.Sent += float64(s.sent) / rateSpan
			out.Received += float64(s.received) / rateSpan
			out.Deleted += float64(s.deleted) / rateSpan
			out.EmptyReceives += float64(s.empty) / rateSpan
		}
	}
	return out
}
