package kpl

import (
	"bytes"
	"crypto/md5" //nolint:gosec // Kinesis maps partition keys to shards by MD5
	"fmt"
	"math/big"
)

// Range is a shard's range of hash keys, both of its ends included.
type Range struct{ first, last hashKey }

// hashKey is a hash key as a big-endian number.
type hashKey [hashBits / 8]byte

// ParseRange returns the range of a shard's HashKeyRange: two decimal numbers below
// 2^128, the first of which is not above the last.
func ParseRange(first, last string) (Range, error) {
	from, ok := parseHashKey(first)
	to, too := parseHashKey(last)
	if !ok || !too || bytes.Compare(from[:], to[:]) > 0 {
		return Range{}, fmt.Errorf("kpl: %q to %q is no range of hash keys", first, last)
	}
	return Range{from, to}, nil
}

func parseHashKey(s string) (k hashKey, ok bool) {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > hashBits {
		return k, false
	}
	n.FillBytes(k[:])
	return k, true
}

func (r Range) holds(k hashKey) bool {
	return bytes.Compare(r.first[:], k[:]) <= 0 && bytes.Compare(k[:], r.last[:]) <= 0
}

// DeaggregateWithin is Deaggregate of a record that was read from a shard with this
// range. It leaves out an aggregate's user records whose hash keys lie outside of it, and
// returns how many these are. See "Outside of the shard" above.
func DeaggregateWithin(shard Range, data []byte, partitionKey string) (users []UserRecord, outside int, err error) {
	all, err := Deaggregate(data, partitionKey)
	if err != nil {
		return nil, 0, err
	}

	// A record that is no aggregate was placed here by Kinesis, by a hash key that its
	// data does not tell.
	if _, aggregate := aggregateBody(data); !aggregate {
		return all, 0, nil
	}

	users = all[:0]
	within, known := true, "" // whether the explicit hash key known, which many share, is in the range
	for _, u := range all {
		switch {
		case u.HashKey == "":
			if !shard.holds(md5.Sum([]byte(u.Key))) { //nolint:gosec // see above
				continue
			}
		case u.HashKey != known:
			// What is no hash key decides nothing: to keep it loses nothing.
			k, ok := parseHashKey(u.HashKey)
			within, known = !ok || shard.holds(k), u.HashKey
			fallthrough
		default:
			if !within {
				continue
			}
		}
		users = append(users, u)
	}
	return users, len(all) - len(users), nil
}
