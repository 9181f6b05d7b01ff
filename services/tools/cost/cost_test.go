package cost_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/localstack"
	"tandem/services/tools/cost"
)

func TestAnHourOfTheDemo(t *testing.T) {
	l := cost.Load{Shards: 4, Consumers: 4, FanOutReaders: 2, Drivers: 200, RidesPerMinute: 20}
	// Worked out by hand: 4 x 0.015; 16 x 0.015; 0.72 million x 0.014;
	// 200 x 200 B x 3600 x 2 = 0.288 GB x 0.013; 12,360 x 0.4 + 18,180 x 0.5 millionths.
	want := []float64{0.06, 0.24, 0.01008, 0.003744, 0.014034}
	items := cost.Hourly(cost.Quoted(), l)
	require.Len(t, items, len(want))
	for i, w := range want {
		require.InDelta(t, w, items[i].Dollars, 1e-9, items[i].What)
	}
	require.Contains(t, cost.Sentence(cost.Quoted(), items), "about $0.33 an hour, $239 a month")
}

func TestIdleCostsToo(t *testing.T) {
	sum := 0.0
	for _, i := range cost.Hourly(cost.Quoted(), cost.Load{Shards: 4, Other: 3, Consumers: 4}) {
		sum += i.Dollars
	}
	require.InDelta(t, 0.345, sum, 0.001)
}

// The load's comment names what messaging.yaml makes.
func TestWhatIsDeployedByDefault(t *testing.T) {
	require.Equal(t, 4, bytes.Count(localstack.Messaging, []byte("Type: AWS::Kinesis::StreamConsumer\n")))
	require.Regexp(t, `Shards:\n\s+Type: Number\n\s+Default: 4\n`, string(localstack.Messaging))
}
