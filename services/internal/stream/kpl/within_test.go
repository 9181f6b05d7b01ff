package kpl_test

import (
	"crypto/md5" //nolint:gosec // as in the format
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tandem/services/internal/stream/kpl"
)

const (
	firstKey = "0"
	half     = "170141183460469231731687303715884105728" // 2^127
	below    = "170141183460469231731687303715884105727"
	lastKey  = "340282366920938463463374607431768211455"
)

func rangeOf(t require.TestingT, first, last string) kpl.Range {
	r, err := kpl.ParseRange(first, last)
	require.NoError(t, err)
	return r
}

func TestRangesAreChecked(t *testing.T) {
	for _, r := range [][2]string{{"0", "0"}, {"0", lastKey}, {half, half}} {
		rangeOf(t, r[0], r[1])
	}
	for _, r := range [][2]string{{"", "1"}, {"1", "0"}, {"-1", "1"}, {"0", "340282366920938463463374607431768211456"}, {"0", "x"}} {
		_, err := kpl.ParseRange(r[0], r[1])
		require.ErrorContains(t, err, "is no range of hash keys", "%v", r)
	}
}

// Both children of a split together keep each user record once, whichever keys it has;
// the shard that was split keeps all.
func TestEachUserRecordLiesInOneChild(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "python.bin"))
	require.NoError(t, err)
	all, err := kpl.Deaggregate(data, "outer")
	require.NoError(t, err)

	rapid.Check(t, func(t *rapid.T) {
		cut := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "cut"))
		cut.SetBit(cut, 0, 1) // above 0
		low, out1, err := kpl.DeaggregateWithin(rangeOf(t, firstKey, new(big.Int).Sub(cut, big.NewInt(1)).String()), data, "outer")
		require.NoError(t, err)
		high, out2, err := kpl.DeaggregateWithin(rangeOf(t, cut.String(), lastKey), data, "outer")
		require.NoError(t, err)

		require.ElementsMatch(t, all, append(low, high...))
		require.Equal(t, len(all), out1+out2)
		for _, u := range low {
			sum := md5.Sum([]byte(u.Key)) //nolint:gosec // Kinesis' own
			k := new(big.Int).SetBytes(sum[:])
			if u.HashKey != "" {
				k.SetString(u.HashKey, 10)
			}
			require.Negative(t, k.Cmp(cut), "%s %s", u.Key, u.HashKey)
		}
	})

	both, outside, err := kpl.DeaggregateWithin(rangeOf(t, firstKey, lastKey), data, "outer")
	require.NoError(t, err)
	require.Zero(t, outside)
	require.Equal(t, all, both)
}

// What Tandem's producer writes lies where it says, as long as buckets are whole.
func TestABucketsAggregateIsKeptWhole(t *testing.T) {
	buckets := kpl.Buckets(3)
	for b := range buckets.Count() {
		agg := kpl.NewAggregate(buckets.HashKey(b), 1<<20)
		for k := range 20 {
			require.True(t, agg.Add(fmt.Sprint(k), []byte("x"))) // of any key: the bucket's hash key counts
		}
		data, err := agg.Encode()
		require.NoError(t, err)
		for first, last := range map[string]string{firstKey: below, half: lastKey} {
			users, outside, err := kpl.DeaggregateWithin(rangeOf(t, first, last), data, "0")
			require.NoError(t, err)
			want := 0
			if (first == firstKey) == (b < 4) {
				want = 20
			}
			require.Len(t, users, want)
			require.Equal(t, 20-want, outside)
		}
	}
}

func TestWhatIsNotJudged(t *testing.T) {
	r := rangeOf(t, "0", "0")
	users, outside, err := kpl.DeaggregateWithin(r, []byte("plain"), "k")
	require.NoError(t, err)
	require.Zero(t, outside)
	require.Len(t, users, 1, "Kinesis put it there")

	agg := kpl.NewAggregate("no number", 1<<20)
	require.True(t, agg.Add("k", []byte("x")))
	data, err := agg.Encode()
	require.NoError(t, err)
	users, outside, err = kpl.DeaggregateWithin(r, data, "k")
	require.NoError(t, err)
	require.Zero(t, outside)
	require.Len(t, users, 1)
}
