// Package cost estimates what SQS and Kinesis bill for Tandem on AWS. The
// prices stand in one dated place, Prices: third parties quoted them, so look at
// https://aws.amazon.com/kinesis/data-streams/pricing/ and
// https://aws.amazon.com/sqs/pricing/ before you rely on a sum. Machines,
// database, alarms, SMS and traffic are not in it.
package cost

import (
	"fmt"
	"math"
	"strings"
)

// Prices in US dollars.
type Prices struct {
	AsOf, Region string

	ShardHour         float64 // a provisioned shard
	MillionPutUnits   float64 // of 25 kB each; a smaller record is one
	ConsumerShardHour float64 // an enhanced fan-out consumer on one shard, read or not
	FanOutGB          float64
	MillionStandard   float64 // requests of SQS, of up to 64 kB each; an empty receive counts
	MillionFIFO       float64
}

// Quoted are the prices of us-east-1 as quoted from March to June 2026. The
// first million requests of SQS in a month are free; that is left out.
func Quoted() Prices {
	return Prices{
		AsOf: "June 2026", Region: "us-east-1",
		ShardHour: 0.015, MillionPutUnits: 0.014, ConsumerShardHour: 0.015, FanOutGB: 0.013,
		MillionStandard: 0.40, MillionFIFO: 0.50,
	}
}

// Load is what Tandem does.
type Load struct {
	Shards, Consumers int // what is deployed: messaging.yaml's defaults are 4 and 4
	Other             int // shards that no consumer is registered on: Six maps' 3
	FanOutReaders     int // how many of the consumers read
	Drivers           int // each sends a point a second
	RidesPerMinute    float64
}

// Item is one line of a bill for an hour.
type Item struct {
	What    string
	Dollars float64
}

// How Tandem uses them, rounded up.
const (
	pointBytes       = 200 // a point in its aggregated record
	recordsPerSecond = 640 // 64 buckets, each at most one record in 100 ms
	standardPerRide  = 10  // send, receive, heartbeats, deletes, of ride-requests
	fifoPerRide      = 15  // five events: send, receive, delete
	pollsPerHour     = 180 // a worker on an empty queue, each waiting 20 s
	workers          = 2
)

// Hourly returns the estimate of an hour of load, item by item.
func Hourly(p Prices, l Load) []Item {
	shards, points := float64(l.Shards), float64(l.Drivers)
	rides := l.RidesPerMinute * 60
	const perHour, million, gigabyte = 3600, 1e6, 1e9

	return []Item{
		{fmt.Sprintf("%d shards", l.Shards+l.Other), float64(l.Shards+l.Other) * p.ShardHour},
		{fmt.Sprintf("%d fan-out consumers on %d of them", l.Consumers, l.Shards), float64(l.Consumers) * shards * p.ConsumerShardHour},
		// Points are aggregated: beyond 640 drivers a record has more of them, and up to
		// 25 kB it still is one unit.
		{"records put", math.Min(points, recordsPerSecond) * perHour / million * p.MillionPutUnits},
		{"records read by fan-out", points * pointBytes * perHour * float64(l.FanOutReaders) / gigabyte * p.FanOutGB},
		{"SQS requests", (rides*standardPerRide+workers*pollsPerHour)/million*p.MillionStandard + (rides*fifoPerRide+pollsPerHour)/million*p.MillionFIFO},
	}
}

// Sentence returns the sum of an hour with its parts.
func Sentence(p Prices, items []Item) string {
	sum, parts := 0.0, make([]string, len(items))
	for i, it := range items {
		sum += it.Dollars
		parts[i] = fmt.Sprintf("%s $%.3f", it.What, it.Dollars)
	}
	return fmt.Sprintf("about $%.2f an hour, $%.0f a month (%s; prices of %s as quoted in %s; machines, database, SMS and traffic come on top)",
		sum, sum*730, strings.Join(parts, ", "), p.Region, p.AsOf)
}
