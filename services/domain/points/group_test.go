package points

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/stream/shardreader"
)

// memory is a store of one driver's newest sequence that fails when told to.
type memory struct {
	newest  int64
	asked   int
	applied []Arrival
	out     Outcome
	err     error
}

func (m *memory) Newest(_ context.Context, drivers []string, mark event.Mark) error {
	m.asked += len(drivers)
	for _, d := range drivers {
		mark[d] = m.newest
	}
	return nil
}

func (m *memory) Apply(_ context.Context, batch []Arrival, _ shardgroup.Commit) (Outcome, error) {
	m.applied = batch
	return m.out, m.err
}

// leaser counts its leases.
type leaser struct {
	memory
	leases []*memory
}

func (l *leaser) ForLease(string) Store {
	l.leases = append(l.leases, &memory{})
	return l.leases[len(l.leases)-1]
}

// What a Store remembers for a lease is of that lease alone.
func TestEachLeaseHasItsStore(t *testing.T) {
	l := &leaser{}
	g := testGroup(l)
	first, second := g.processor("s"), g.processor("s")
	require.NoError(t, first.Process(t.Context(), batchOf(t, 1), nil))
	require.NoError(t, second.Process(t.Context(), batchOf(t, 2, 3), nil))
	require.NoError(t, first.Process(t.Context(), batchOf(t, 4, 5, 6), nil))

	require.Len(t, l.leases, 2)
	require.Len(t, l.leases[0].applied, 3)
	require.Len(t, l.leases[1].applied, 2)
	require.Empty(t, l.applied)
}

func testProcessor(m *memory) shardgroup.Processor {
	return testGroup(m).processor("s")
}

// testGroup is a Group that has set these records aside.
func testGroup(s Store, aside ...shardreader.Record) *Group {
	return &Group{
		o: GroupOptions{Store: s, Log: slog.New(slog.DiscardHandler)}, stats: newStats(time.Time{}), seen: newRecent(),
		parked: func(context.Context, string, time.Time) ([]shardreader.Record, error) { return aside, nil },
	}
}

// A record that was set aside is new when it comes again, once: not its repeats, and not
// another record of the same point.
func TestWhatWasSetAsideReturnsOnce(t *testing.T) {
	m := &memory{newest: 10}
	b := batchOf(t, 5, 5, 5, 7, 12)
	for i := range b.Records {
		b.Records[i].Position = shardreader.Position{Shard: "s", Sequence: "1", Sub: i}
	}
	noise := shardreader.Record{Position: shardreader.Position{Shard: "s", Sequence: "1", Sub: 3}, Data: []byte("noise")}
	p := testGroup(m, b.Records[1], b.Records[2], b.Records[4], noise).processor("s")
	require.NoError(t, p.Process(t.Context(), b, nil))

	var back []int
	for i, a := range m.applied {
		if a.Returns {
			back = append(back, i)
		}
	}
	require.Equal(t, []int{1, 4}, back)
	require.Equal(t, []bool{false, false, false, false, true}, m.rises())
	require.NoError(t, p.Process(t.Context(), b, nil))
	for _, a := range m.applied {
		require.False(t, a.Returns)
	}
}

func batchOf(t *testing.T, seqs ...int64) (b shardreader.Batch) {
	t.Helper()
	b.Shard = "s"
	for _, seq := range seqs {
		data, err := event.Point{Driver: "d", Seq: seq}.Encode()
		require.NoError(t, err)
		b.Records = append(b.Records, shardreader.Record{Key: "d", Data: data})
	}
	return b
}

func (m *memory) rises() (out []bool) {
	for _, a := range m.applied {
		out = append(out, a.Rises)
	}
	return out
}

func TestWhatRisesIsDecidedByCommittedMarks(t *testing.T) {
	m := &memory{newest: 10, err: errors.New("no database")}
	p := testProcessor(m)

	require.ErrorIs(t, p.Process(t.Context(), batchOf(t, 10, 12, 11), nil), m.err)
	require.Equal(t, []bool{false, true, false}, m.rises())

	m.err = nil
	require.NoError(t, p.Process(t.Context(), batchOf(t, 10, 12, 11), nil))
	require.Equal(t, []bool{false, true, false}, m.rises(), "a batch that failed raised no mark")
	require.Equal(t, 2, m.asked)

	require.NoError(t, p.Process(t.Context(), batchOf(t, 12, 13), nil))
	require.Equal(t, []bool{false, true}, m.rises())
	require.Equal(t, 2, m.asked, "the mark is remembered")
}

func TestAllUndecodableRecordsAreNamedAtOnce(t *testing.T) {
	b := batchOf(t, 1)
	for _, sequence := range []string{"7", "8"} {
		b.Records = append(b.Records, shardreader.Record{Position: shardreader.Position{Shard: "s", Sequence: sequence}, Data: []byte("noise")})
	}

	err := testProcessor(&memory{}).Process(t.Context(), b, nil)

	require.ErrorIs(t, err, shardgroup.ErrUndecodable)
	require.ErrorContains(t, err, "7")
	require.ErrorContains(t, err, "8")
}

// What a group is told of reading and of metrics is heard: it refuses what cannot be.
func TestAGroupHandsOnItsOptions(t *testing.T) {
	o := GroupOptions{Name: "test", Store: &memory{}, Pool: new(pgxpool.Pool), Client: nowhere{}, Lease: time.Second, PollEvery: time.Second}
	_, err := NewGroup(o)
	require.ErrorContains(t, err, "Backoff is 0s", "no reader goes by another one than its profile's")
	o.Backoff = time.Second
	_, err = NewGroup(o)
	require.NoError(t, err)

	r := prometheus.NewRegistry()
	o.Metrics = r
	_, err = NewGroup(o)
	require.NoError(t, err)
	all, err := r.Gather()
	require.NoError(t, err)
	require.Len(t, all, 5, "its metrics; of no shard it is known how far behind it is")

	o.CatchUpBytes = -1
	_, err = NewGroup(o)
	require.ErrorContains(t, err, "CatchUpBytes is -1")
}

// points means the same of every reader: what had an effect.
func TestPointsAreThoseThatHadAnEffect(t *testing.T) {
	m := &memory{out: Outcome{Repeated: 1, Skipped: 2}}
	g := testGroup(m)
	require.NoError(t, g.processor("s").Process(t.Context(), batchOf(t, 10, 11, 12, 13, 11), nil))

	d := g.stats.detail("test")
	require.EqualValues(t, 2, d.Points)
	require.EqualValues(t, 1, d.Repeated)
	require.EqualValues(t, 2, d.Skipped)
}
