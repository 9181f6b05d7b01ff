package kinesis

import (
	"cmp"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
)

// hashKey is a number of 128 bits. Records and shards meet by it.
type hashKey struct{ hi, lo uint64 }

func lastHash() hashKey { return hashKey{math.MaxUint64, math.MaxUint64} }

// hashOf is the MD5 of a partition key.
func hashOf(key string) hashKey {
	sum := md5.Sum([]byte(key))
	return hashKey{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:])}
}

// parseHash reads 0 or digits that begin with none, up to 2^128 - 1.
func parseHash(text string) (hashKey, bool) {
	if text == "" || len(text) > 39 || text[0] == '0' && len(text) > 1 {
		return hashKey{}, false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return hashKey{}, false
		}
	}
	n, _ := new(big.Int).SetString(text, 10) // digits
	return hashOfBig(n), n.BitLen() <= 128
}

func hashOfBig(n *big.Int) hashKey {
	lo := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64))
	return hashKey{new(big.Int).Rsh(n, 64).Uint64(), lo.Uint64()}
}

func (h hashKey) String() string {
	n := new(big.Int).SetUint64(h.hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(h.lo)).String()
}

// MarshalText writes decimal digits.
func (h hashKey) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads decimal digits.
func (h *hashKey) UnmarshalText(b []byte) (err error) {
	var ok bool
	if *h, ok = parseHash(string(b)); !ok {
		return fmt.Errorf("%q is no hash key", b)
	}
	return nil
}

func (h hashKey) compare(other hashKey) int {
	return cmp.Or(cmp.Compare(h.hi, other.hi), cmp.Compare(h.lo, other.lo))
}

// next is h + 1, and previous h - 1; both wrap.
func (h hashKey) next() hashKey {
	if h.lo++; h.lo == 0 {
		h.hi++
	}
	return h
}

func (h hashKey) previous() hashKey {
	if h.lo--; h.lo == math.MaxUint64 {
		h.hi--
	}
	return h
}

// boundary is where the ith of n even shards begins: i * 2^128 / n, for i < n.
func boundary(i, n int) hashKey {
	b := new(big.Int).Lsh(big.NewInt(int64(i)), 128)
	return hashOfBig(b.Div(b, big.NewInt(int64(n))))
}
