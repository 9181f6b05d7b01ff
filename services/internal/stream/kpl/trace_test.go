package kpl_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"tandem/services/internal/stream/kpl"
)

// What a trace costs on the stream: nothing without one, and at most TraceSize with one.
func TestATraceTakesTraceSizeBytes(t *testing.T) {
	size := func(data int, trace string) int {
		agg := kpl.NewAggregate("42", 1<<20)
		require.True(t, agg.AddTraced("driver-1", make([]byte, data), trace))
		b, err := agg.Encode()
		require.NoError(t, err)
		return len(b)
	}

	most := 0
	for data := range 300 {
		most = max(most, size(data, traceparent)-size(data, ""))
	}
	require.Equal(t, kpl.TraceSize, most)
	require.Equal(t, 72, size(121, traceparent)-size(121, "")-1, "a point of Tandem's, whose length then takes a byte more")

	plain := kpl.NewAggregate("42", 1<<20)
	require.True(t, plain.Add("driver-1", make([]byte, 121)))
	b, err := plain.Encode()
	require.NoError(t, err)
	require.Len(t, b, size(121, ""))
}

// Points come a thousand a second, and of most nobody asks for a trace.
func TestWithoutATraceNothingIsAllocatedForIt(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 121)
	agg := kpl.NewAggregate("42", 64<<20)
	require.True(t, agg.Add("driver-1", data))
	// The record, its two indexes, and now and then a longer slice of records.
	require.LessOrEqual(t, testing.AllocsPerRun(10_000, func() { agg.Add("driver-1", data) }), 3.0)
}

// A tag may be anybody's, and anything.
func TestTagsOfOthersAreNoTrace(t *testing.T) {
	tag := func(name, value string) []byte {
		b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
		return protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), value)
	}
	aggregate := func(tags ...[]byte) []byte {
		user := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 0)
		user = protowire.AppendBytes(protowire.AppendTag(user, 3, protowire.BytesType), []byte("data"))
		for _, x := range tags {
			user = protowire.AppendBytes(protowire.AppendTag(user, 4, protowire.BytesType), x)
		}
		body := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "key")
		return sum(protowire.AppendBytes(protowire.AppendTag(body, 3, protowire.BytesType), user))
	}

	for _, c := range []struct {
		tags [][]byte
		want string
	}{
		{nil, ""}, {[][]byte{tag("other", "x")}, ""}, {[][]byte{tag(kpl.TraceTag, "x"), tag("other", "y")}, "x"},
		{[][]byte{tag("other", "y"), tag(kpl.TraceTag, "x")}, "x"}, {[][]byte{nil}, ""}, {[][]byte{{0x0a, 0xff}}, ""},
	} {
		got, err := kpl.Deaggregate(aggregate(c.tags...), "outer")
		require.NoError(t, err)
		require.Equal(t, c.want, string(got[0].Trace))
	}
}
