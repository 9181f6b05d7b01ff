package main

import (
	"fmt"

	"tandem/services/domain/profile"
	"tandem/services/tools/cost"
)

// spending is the consent to what load on AWS itself costs.
type spending struct {
	YesThisCostsMoney bool `name:"yes-this-costs-money" help:"With --backend=aws: I know that AWS bills for this."`
}

// allow refuses to put load on AWS without consent.
func (s spending) allow(backend string, drivers int, riders float64) error {
	if backend != profile.AWS || s.YesThisCostsMoney {
		return nil
	}
	p := cost.Quoted()
	items := cost.Hourly(p, cost.Load{Shards: 4, Consumers: 4, FanOutReaders: 2, Drivers: drivers, RidesPerMinute: riders})
	return fmt.Errorf("the backend is AWS, and %d drivers and %g rides a minute cost %s: say --yes-this-costs-money if you want that, and tandem messaging delete --backend=aws when you are done, for what is deployed costs while nobody uses it", drivers, riders, cost.Sentence(p, items))
}
