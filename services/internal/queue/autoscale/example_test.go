package autoscale_test

import (
	"fmt"
	"time"

	"tandem/services/internal/queue/autoscale"
)

// A loop looks every few seconds, keeps the looks, and does what Plan says.
func Example() {
	p := autoscale.Policy{
		Min: 2, Max: 6, Latency: 30 * time.Second, Holds: 1, Handling: 10 * time.Second,
		WarmUp: 20 * time.Second, ScaleInAfter: time.Minute, Fresh: 15 * time.Second,
	}
	if err := p.Check(); err != nil {
		fmt.Println(err)
		return
	}

	now := time.Now() // in a program: at each tick
	var looks []autoscale.Sample
	looks = append(p.Trim(now, looks), autoscale.Sample{
		At: now, Workers: 2, Ready: 2,
		Queue: &autoscale.Queue{Visible: 11, InFlight: 2, Oldest: 8 * time.Second}, // nil if SQS does not answer
	})

	d := autoscale.Plan(now, looks, p)
	fmt.Println(d.Want)
	fmt.Println(d.Because)
	// Output:
	// 4
	// 11 messages wait and a worker takes 6 a minute: 4 workers would clear them within 30s
}
