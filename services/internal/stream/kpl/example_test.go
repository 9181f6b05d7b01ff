package kpl_test

import (
	"fmt"

	"tandem/services/internal/stream/kpl"
)

// Points of drivers are packed into one Kinesis record and unpacked again.
func Example() {
	const buckets kpl.Buckets = 1 // 2^1: more drivers than buckets share one

	// One aggregate holds the keys of one bucket, and carries the bucket's hash key.
	bucket := buckets.Of("driver-7")
	agg := kpl.NewAggregate(buckets.HashKey(bucket), 48<<10)
	for _, key := range []string{"driver-7", "driver-8", "driver-5", "driver-7"} {
		if buckets.Of(key) != bucket {
			fmt.Println(key, "belongs to another aggregate")
			continue
		}
		agg.Add(key, []byte("a point of "+key)) // false: it is full, begin another
	}
	data, err := agg.Encode() // goes to PutRecords with the same ExplicitHashKey
	if err != nil {
		fmt.Println(err)
		return
	}

	// A reader calls it for every record, also for those that are no aggregates.
	records, err := kpl.Deaggregate(data, "the Kinesis record's partition key")
	if err != nil {
		fmt.Println(err) // wraps kpl.ErrCorrupt
		return
	}
	for _, r := range records {
		fmt.Println(r.Sub, r.Key, string(r.Data))
	}
	// Output:
	// driver-5 belongs to another aggregate
	// 0 driver-7 a point of driver-7
	// 1 driver-8 a point of driver-8
	// 2 driver-7 a point of driver-7
}
