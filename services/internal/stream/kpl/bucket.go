package kpl

import (
	"crypto/md5" //nolint:gosec // Kinesis maps partition keys to shards by MD5
	"encoding/binary"
	"math/big"
)

// hashBits is the width of Kinesis's hash keys.
const hashBits = 128

// MaxBuckets is the largest Buckets.
const MaxBuckets Buckets = 16

// Buckets cuts the range of hash keys into 2^Buckets equal parts: a key's
// bucket is the first Buckets bits of its MD5. It is fixed for a stream's
// life, because a key that changed its bucket could change its shard.
// Its value is 0 (one bucket) to MaxBuckets.
type Buckets uint

// Count is the number of buckets.
func (b Buckets) Count() int { return 1 << b }

// Of returns key's bucket, from 0 to Count()-1.
func (b Buckets) Of(key string) int {
	sum := md5.Sum([]byte(key)) //nolint:gosec // see above
	return int(binary.BigEndian.Uint16(sum[:2]) >> (MaxBuckets - b))
}

// HashKey returns the middle of the bucket's range as Kinesis writes hash keys:
// a decimal number below 2^128.
func (b Buckets) HashKey(bucket int) string {
	// The middle is as far as can be from both bounds, so a split that is a
	// little off a bucket's bound changes nothing.
	middle := big.NewInt(2*int64(bucket) + 1)
	return middle.Lsh(middle, hashBits-1-uint(b)).String()
}
