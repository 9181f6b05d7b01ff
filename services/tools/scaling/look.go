package scaling

import (
	"context"
	"time"

	"tandem/services/client"
	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/queue/autoscale"
)

// lookWithin is how long one question may take: an answer that is later is not known.
const lookWithin = 3 * time.Second

// looker asks a Tandem how its queue is.
type looker struct{ session *client.Session }

func newLooker(gateway, operatorKey string) looker {
	api := client.New(client.Options{GatewayURL: gateway, OperatorKey: operatorKey})
	return looker{api.As(auth.Admin, "autoscale")}
}

// look returns what is so now. What Tandem does not say is not known.
func (l looker) look(ctx context.Context) (autoscale.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()

	o, err := l.session.Overview(ctx)
	if err != nil {
		return autoscale.Sample{}, err
	}
	return sampleOf(o), nil
}

// sampleOf returns what an overview says of the ride requests and of their workers.
func sampleOf(o client.Overview) autoscale.Sample {
	out := autoscale.Sample{At: o.At, Workers: len(o.Workers)}

	// Those that are on their way are not among the workers that it shows.
	if o.Autoscale != nil {
		out.Workers = o.Autoscale.Want
	}

	for _, w := range o.Workers {
		if w.OK {
			out.Ready++
		}
	}

	for _, q := range o.Queues {
		if q.Name != event.QueueRideRequests || q.Error != "" || q.Visible == nil || q.InFlight == nil {
			continue
		}
		out.Queue = &autoscale.Queue{Visible: *q.Visible, InFlight: *q.InFlight}
		if o.Rides != nil && o.Rides.OldestWaiting != nil {
			out.Queue.Oldest = max(0, o.At.Sub(*o.Rides.OldestWaiting))
		}
	}
	return out
}
