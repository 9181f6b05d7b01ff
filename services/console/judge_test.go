package console

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/points"
)

// allWell is an overview in which every part has answered a moment ago.
func allWell(now time.Time) Overview {
	service := func(name string) Service { return Service{Name: name, OK: true, HeardAt: &now} }
	reader := func(name string, p50 float64) Reader {
		return Reader{
			Reader: name, OK: true, HeardAt: &now, Lag: Lag{BehindMS: new(int64), StreamAt: &now},
			ReaderState: &ReaderState{Latency: &points.Latency{P50: p50}},
		}
	}

	return Overview{
		At: now,
		Queues: []Queue{
			{Name: "ride-requests", HeardAt: &now, QueueCounts: &QueueCounts{}},
			{Name: "ride-requests-dlq", Dead: true, HeardAt: &now, QueueCounts: &QueueCounts{}},
		},
		Readers:  []Reader{reader("mapfeed", 120), reader("history", 380)},
		Rides:    &Rides{PerMinute: 14},
		Services: []Service{service("booking"), service("dispatch-1"), service("dispatch-2"), service("mapfeed"), service("history")},
	}
}

func TestJudgeNamesTheMostUrgentTroubleAndWhoSuffers(t *testing.T) {
	down := func(i ...int) func(*Overview) {
		return func(o *Overview) {
			for _, i := range i {
				o.Services[i].OK = false
			}
		}
	}

	cases := []struct {
		name   string
		change func(*Overview)
		ok     bool
		want   string
	}{
		{"well", func(*Overview) {}, true, "All well: 14 rides/min, nothing waits, slowest reader history at 380 ms"},
		{"one waits", func(o *Overview) { o.Queues[0].Visible = 1 }, true, "1 message waiting"},
		{"nothing was applied lately", func(o *Overview) { o.Readers[0].Latency, o.Readers[1].Latency = nil, nil }, true, "All well: 14 rides/min, nothing waits"},
		{"no rides without booking", down(0), false, "booking does not answer: no ride can be booked or changes; cars go on moving."},
		{"rides go on without the map", down(3), false, "mapfeed does not answer: the map stands still; rides go on."},
		{"another worker does it", down(1), false, "dispatch-1 does not answer: the others of its kind do its work."},
		{"no worker is left", down(1, 2), false, "dispatch-1, dispatch-2 do not answer: no driver is asked, and ride requests wait in the queue; rides under way go on."},
		{"most is down", down(0, 1, 2, 3), false, "booking, dispatch-1, dispatch-2, mapfeed do not answer: most of Tandem stands still"},
		{"one was never heard of", func(o *Overview) { o.Services[4].OK, o.Services[4].HeardAt = false, nil }, false, "history does not answer"},
		{"the console has just started", func(o *Overview) {
			for i := range o.Services {
				o.Services[i].OK, o.Services[i].HeardAt = false, nil
			}
		}, false, "Looking: nothing is heard yet of booking, dispatch-1"},
		{"a queue was never heard of", func(o *Overview) { o.Queues[0].HeardAt = nil }, false, "nothing is heard yet of ride-requests"},
		{"rides were never counted", func(o *Overview) { o.Rides = nil }, false, "booking has not counted its rides"},
		{"dead letter", func(o *Overview) { o.Queues[1].Visible = 1 }, false, "1 dead letter in ride-requests-dlq"},
		{"backlog", func(o *Overview) { o.Queues[0].Visible = 51 }, false, "51 messages wait in ride-requests"},
		{"set aside", func(o *Overview) { o.Rides.SetAside = new(int); *o.Rides.SetAside = 2 }, false, "SQS refuses 2 messages of the outbox for good"},
		{"unsent", func(o *Overview) { o.Rides.OldestS = new(float64); *o.Rides.OldestS = 61 }, false, "A message has waited in the outbox for 61 s"},
		{"sent soon", func(o *Overview) { o.Rides.OldestS = new(float64); *o.Rides.OldestS = 3 }, true, "All well"},
		{"queue gone", func(o *Overview) { o.Queues[0].Error = "it does not exist" }, false, "ride-requests cannot be looked at"},
		{"SQS away", func(o *Overview) { o.Queues[0].Error = noAnswer }, false, "The queue does not answer: bookings wait in the database, and no driver is asked; the map goes on."},
		{"SQS and the stream away", func(o *Overview) {
			o.Queues[0].Error, o.Readers[0].StreamAt = noAnswer, ago(o, 4*time.Second)
		}, false, "Neither queue nor stream answers: bookings wait in the database, and cars are not heard from."},
		{"not ready", func(o *Overview) {
			o.Services[0].NotReady = map[string]string{"queue": "queue q does not exist: deploy it"}
		}, false, "booking is not ready: queue q does not exist: deploy it. While that lasts, no ride can be booked"},
		{"lag", func(o *Overview) { o.Readers[1].BehindMS, o.Readers[1].Unread = pointer(12_000), pointer(840) }, false,
			"history is 12s behind the stream, about 840 points unread"},
		{"a reader that does not read", func(o *Overview) { o.Readers[1].NotRead, o.Readers[1].Unread = []string{"0", "1"}, pointer(40) }, false,
			"history does not read 2 of its shards, about 40 points unread"},
		{"a reader that is paused", func(o *Overview) {
			r := &o.Readers[1]
			r.ReaderState = &ReaderState{Shards: []points.ShardDetail{{Shard: "0", Paused: true}, {Shard: "1"}}}
			r.BehindMS, r.Unread, r.NotRead = pointer(45_000), pointer(40), []string{"0"}
		}, false, "history is paused by a person on 1 of its shards, 45s behind the stream, about 40 points unread: nothing is broken. `tandem reader resume history` lets it go on."},
		{"a reader of which nothing is known", func(o *Overview) { o.Readers[1].BehindMS = nil }, false, "history has not said yet how far it has read"},
		{"silence of the stream", func(o *Overview) { o.Readers[0].StreamAt = ago(o, 7*time.Second) }, false,
			"mapfeed has heard nothing from the stream for 7s: the map stands still; rides go on."},
		{"parked", func(o *Overview) { o.Readers[1].Parked = 2 }, false, "set 2 records aside"},
	}

	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			o := allWell(time.Now())
			tc.change(&o)
			ok, sentence := judge(o)
			require.Equal(t, tc.ok, ok, sentence)
			require.Contains(t, sentence, tc.want)
		})
	}
}

func ago(o *Overview, d time.Duration) *time.Time { return orNil(o.At.Add(-d)) }

func pointer(n int64) *int64 { return &n }

// What was never heard has no number in the answer, so that nobody can take it for 0.
func TestWhatIsNotKnownHasNoNumber(t *testing.T) {
	b, err := json.Marshal(Overview{Queues: []Queue{{Name: "q"}}, Workers: []Worker{{Name: "w"}}, Shards: []Shard{{Shard: "s"}}, Readers: []Reader{{Reader: "r"}}})
	require.NoError(t, err)
	var o struct {
		Rides                            any
		Queues, Workers, Shards, Readers []map[string]any
	}
	require.NoError(t, json.Unmarshal(b, &o))

	require.Nil(t, o.Rides)
	require.NotContains(t, o.Queues[0], "visible")
	require.NotContains(t, o.Workers[0], "received")
	require.NotContains(t, o.Shards[0], "points_per_s")
	require.NotContains(t, o.Readers[0], "points")
	for _, field := range []string{"heard_at", "behind_ms", "unread", "stream_at"} {
		require.Contains(t, o.Readers[0], field)
		require.Nil(t, o.Readers[0][field])
	}
}
