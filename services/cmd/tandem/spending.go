package main

import (
	"fmt"

	"tandem/services/domain/profile"
	"tandem/services/tools/cost"
)

// spending has the flag by which a person agrees to pay for load on AWS.
type spending struct {
	YesThisCostsMoney bool `name:"yes-this-costs-money" help:"Needed with --backend=aws: I know that AWS charges for this."`
}

// allow refuses to put load on AWS without consent.
func (s spending) allow(backend string, drivers int, riders float64) error {
	if backend != profile.AWS || s.YesThisCostsMoney {
		return nil
	}

	p := cost.Quoted()
	// These are messaging.yaml's defaults, of whose four consumers two are read from.
	items := cost.Hourly(p, cost.Load{Shards: 4, Other: 3, Consumers: 4, FanOutReaders: 2, Drivers: drivers, RidesPerMinute: riders})
	return fmt.Errorf("the backend is AWS, and %d drivers and %g rides a minute cost %s: add --yes-this-costs-money if you want that. When you are done, run tandem messaging delete --backend=aws, since what is deployed costs money while nobody uses it", drivers, riders, cost.Sentence(p, items))
}
