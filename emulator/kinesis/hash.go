package kinesis

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"math/big"
)

// hashKey is a number of 128 bits, big endian. Records and shards meet by it.
type hashKey [16]byte

func lastHash() hashKey { return hashKey{}.previous() }

// hashOf is the MD5 of a partition key.
func hashOf(key string) hashKey { return md5.Sum([]byte(key)) }

// parseHash reads 0 or digits that begin with none, up to 2^128 - 1.
func parseHash(text string) (h hashKey, ok bool) {
	if len(text) > 39 {
		return h, false
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 || n.String() != text {
		return h, false
	}
	n.FillBytes(h[:])
	return h, true
}

func (h hashKey) big() *big.Int { return new(big.Int).SetBytes(h[:]) }

func (h hashKey) String() string { return h.big().String() }

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

func (h hashKey) compare(other hashKey) int { return bytes.Compare(h[:], other[:]) }

// next returns h + 1, and previous h - 1; both wrap.
func (h hashKey) next() hashKey     { return h.plus(1) }
func (h hashKey) previous() hashKey { return h.plus(-1) }

func (h hashKey) plus(n int64) hashKey {
	b := h.big()
	return wrapped(b.Add(b, big.NewInt(n)))
}

// wrapped returns b modulo 2^128.
func wrapped(b *big.Int) (h hashKey) {
	whole := new(big.Int).Lsh(big.NewInt(1), 128)
	b.Mod(b, whole).FillBytes(h[:])
	return h
}

// boundary returns where the ith of n even shards begins: i * 2^128 / n.
func boundary(i, n int) hashKey {
	b := new(big.Int).Lsh(big.NewInt(int64(i)), 128)
	return wrapped(b.Div(b, big.NewInt(int64(n))))
}
