package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/client"
	"tandem/services/domain/event"
)

func TestASoundSiteIsOK(t *testing.T) {
	t.Parallel()
	url, pool := database(t)
	s := newSite(t, url, pool)
	r := s.audit()
	for _, c := range r.Checks {
		require.True(t, c.OK, "%s: %s", c.Name, c.Detail)
	}
	require.True(t, r.OK)
	require.EqualValues(t, 3, r.Count("rides", "requested"))
	require.EqualValues(t, 2, r.Count("rides", "promised"))
	require.EqualValues(t, 8, r.Count("points", "accepted"))
	require.EqualValues(t, 8, r.Count("points", "stored"))
	require.EqualValues(t, 8, r.Count("heatmap", "sum"))
	require.EqualValues(t, 8, r.Count("checkpoints", "vouched"))
	var out bytes.Buffer
	require.NoError(t, r.Print(&out, false))
	require.Equal(t, len(r.Checks)+len(r.NotJudged)+1, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), "-        8  not judged")
	out.Reset()
	require.NoError(t, r.Print(&out, true))
	var again Report
	require.NoError(t, json.Unmarshal(out.Bytes(), &again))
	require.Equal(t, r, again)
}

// A ride that was promised long ago may have left by its age, and its key may be
// another ride's since.
func TestARemovedRideIsNotLost(t *testing.T) {
	t.Parallel()
	url, pool := database(t)
	s := newSite(t, url, pool)
	promised := func(ride string, ago time.Duration) client.Entry {
		return client.Entry{At: time.Now().Add(-ago), Ride: &client.RideEntry{Key: "k", RideID: ride, Rider: "rita", Status: 201}}
	}
	const day = 24 * time.Hour
	first, second := "01960000-0000-7000-8000-000000000001", "01960000-0000-7000-8000-000000000002"
	s.promise(promised(first, 182*day), promised(second, 91*day))

	r := s.audit()
	require.True(t, r.OK)
	require.EqualValues(t, 2, r.Count("rides", "removed"))

	young := promised("01960000-0000-7000-8000-000000000003", 89*day)
	young.Ride.Key = "another"
	s.promise(young)
	r = s.audit()
	require.False(t, r.OK)
	require.EqualValues(t, 1, r.Count("rides", "lost"), "it cannot have been removed yet")

}

// Each plants one violation; the check of that name must say so, with the text.
func TestPlantedViolationsAreNamed(t *testing.T) {
	t.Parallel()
	url, pool := database(t)
	for _, c := range []struct {
		name, check, says string
		plant             func(s *site)
	}{
		{"a promised ride is gone", "rides", "ride " + done + " of ana got 201 and does not exist", func(s *site) {
			s.exec(`DELETE FROM ride.rides WHERE id = $1`, done)
		}},
		{"a ride waits past its end", "rides", "waits as requested", func(s *site) {
			s.exec(`UPDATE ride.rides SET state = 'requested', driver_id = NULL, expires_at = now() - interval '1 h' WHERE id = $1`, open)
		}},
		{"an index is gone", "drivers", "one_live_ride_of_a_driver is missing", func(s *site) {
			s.exec(`DROP INDEX ride.one_live_ride_of_a_driver`)
		}},
		{"a driver with two rides", "drivers", "driver d1 has several live rides", func(s *site) {
			s.exec(`DROP INDEX ride.one_live_ride_of_a_driver`)
			s.exec(`UPDATE ride.rides SET state = 'picked_up', ended_at = NULL, wake_at = now() WHERE id = $1`, done)
		}},
		{"a ride with two drivers", "drivers", "ride " + open + " has several live drivers", func(s *site) {
			s.exec(`DROP INDEX ride.one_live_driver_of_a_ride`)
			s.exec(`INSERT INTO ride.offers VALUES (gen_random_uuid(), $1, 'd2', 1, 'open', now(), now())`, open)
		}},
		{"a ride without its offer", "drivers", "who has no live offer", func(s *site) {
			s.exec(`UPDATE ride.offers SET state = 'lost' WHERE ride_id = $1`, open)
		}},
		{"rides of a driver overlap in the past", "drivers", "before ride " + done + " had ended", func(s *site) {
			s.exec(`UPDATE ride.rides SET ended_at = now() WHERE id = $1`, done)
		}},
		{"a key returned two rides", "keys", "key " + done + " of ana returned ride", func(s *site) {
			s.promise(client.Entry{Ride: &client.RideEntry{Key: done, RideID: ended, Rider: "ana", Status: 201}})
		}},
		{"a key is another ride's", "keys", "is ride " + ended + "'s", func(s *site) {
			s.promise(client.Entry{Ride: &client.RideEntry{Key: ended, RideID: open, Rider: "ana", Status: 201}})
		}},
		{"nobody will look at a ride", "wakes", "ride " + open + " is arrived", func(s *site) {
			s.exec(`UPDATE ride.rides SET wake_at = now() - interval '1 min' WHERE id = $1`, open)
		}},
		{"the outbox stands still", "wakes", "unsent messages", func(s *site) {
			s.exec(`INSERT INTO ride.outbox (id, queue, key, body, added_at, due_at, retry_at)
				VALUES (gen_random_uuid(), 'ride-requests', $1, '', now(), now() - interval '2 min', now())`, open)
		}},
		{"an inbox delivery without its message", "notifications", "not in it", func(s *site) {
			s.exec(`INSERT INTO notification.deliveries (event_id, channel, rider_id, ride_id, kind, state) VALUES (gen_random_uuid(), 'inbox', 'ana', $1, 'x', 'sent')`, done)
		}},
		{"a dead letter without a reason", "queues", "dead letter m1", func(s *site) {
			s.dead["ride-requests-dlq"] = deadLetters{count: 1, messages: []peeked{{MessageID: "m1", Body: request(s.t, open)}}}
			s.exec(`INSERT INTO ride.ride_events (ride_id, kind, at, by, attempt, data) VALUES ($1, 'received', now(), 'w', 1, '{"receives": 5}')`, open)
		}},
		{"messages at rest", "queues", "ride-requests has 2 messages at rest", func(s *site) {
			s.depths["ride-requests"], s.cfg.AtRest = 2, true
		}},
		{"a promised point is gone", "points", "was promised", func(s *site) {
			s.exec(`DELETE FROM history.points WHERE driver = 'd1' AND seq = $1`, s.seq(2))
		}},
		{"a driver's promised points are all gone", "points", "point d2", func(s *site) {
			s.exec(`DELETE FROM history.points WHERE driver = 'd2'`)
		}},
		{"a point twice", "points", "another day's partition", func(s *site) {
			s.exec(`CREATE TABLE history.points_20200101 PARTITION OF history.points FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')`)
			s.exec(`INSERT INTO history.points SELECT '2020-01-01', driver, seq, at, lat, lon, speed, heading, accuracy, arrived_at, shard, false
				FROM history.points WHERE driver = 'd1' AND seq = $1`, s.seq(1))
		}},
		{"the checkpoint ran ahead", "checkpoints", "before history's checkpoint", func(s *site) {
			s.point("d1", 4, false)
			s.exec(`UPDATE shardgroup.checkpoints SET sequence = '108'`)
		}},
		{"the heatmap counted twice", "heatmap", "sum is 9, history and the stream make it 8 (+1)", func(s *site) {
			s.count(`UPDATE heatmap.cells SET n = n + 1 WHERE cell = 1`)
		}},
		{"an hour of the heatmap is not its minutes", "heatmap", "its hours add up to 9, its minutes to 8", func(s *site) {
			s.exec(`UPDATE heatmap.hours SET n = n + 1 WHERE cell = 1`)
		}},
		{"the heatmap forgot", "heatmap", "(-3)", func(s *site) { s.count(`DELETE FROM heatmap.cells WHERE cell = 2`) }},
		{"out of order on the stream", "order", "d1: ", func(s *site) { s.pointTaken("d1", -1, 1, false) }},
		{"a point was overtaken on its way", "order", "d1: ", func(s *site) {
			s.pointTaken("d1", 9, 11, false)
			s.pointTaken("d1", 8, 10, false)
		}},
		{"a late point was overtaken by a later one", "order", "d1: ", func(s *site) {
			s.pointTaken("d1", -1, 11, false)
			s.pointTaken("d1", -2, 10, false)
		}},
		{"two points of one batch changed places", "order", "d1: ", func(s *site) {
			s.pointTaken("d1", 9, 10, false)
			s.pointTaken("d1", 8, 10, false)
		}},
		{"an older point without a stamp", "order", "d1: ", func(s *site) { s.pointTaken("d1", -1, 0, false) }},
		{"history has a point that was overtaken", "order", "history has 1 points", func(s *site) {
			s.pointTaken("d1", 9, 11, true)
			s.pointTaken("d1", 8, 10, true)
			s.records = s.records[:8] // the stream keeps it no longer
		}},
		{"history took an older point", "order", "history has 1 points", func(s *site) {
			s.exec(`UPDATE history.points SET not_rising = true WHERE driver = 'd1' AND seq = $1`, s.seq(1))
		}},
		{"a point was sent after its driver was erased, and is not there", "points", "d1 ", func(s *site) {
			s.exec(`DELETE FROM history.points WHERE driver = 'd1' AND seq = $1`, s.seq(3))
			s.exec(`INSERT INTO history.erased VALUES ('d1', $2, $1)`, s.seq(2), s.began.Add(-time.Second))
		}},
		{"a gap", "gaps", "history could not read s0", func(s *site) { s.gap() }},
		{"a reader stands still", "readers", "history vouches", func(s *site) { s.cfg.Wait = time.Millisecond }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, url, pool)
			c.plant(s)
			r := s.audit()
			require.False(t, r.OK)
			for _, check := range r.Checks {
				if check.Name == c.check {
					require.False(t, check.OK)
					require.Contains(t, check.Detail, c.says)
					return
				}
			}
			t.Fatalf("there is no check %q", c.check)
		})
	}
}

func (s *site) gap() {
	s.exec(`INSERT INTO shardgroup.gaps (stream_id, shard, reason, from_at, to_at)
		SELECT id, 's0', 'trimmed', $1::timestamptz - interval '1 s', $1 FROM shardgroup.streams WHERE group_name = 'history'`, s.began)
}

func request(t *testing.T, rideID string) string {
	t.Helper()
	e, err := event.New("x", event.TypeRideRequest, time.Now(), event.RideRequest{RideID: rideID, Attempt: 1})
	require.NoError(t, err)
	b, err := json.Marshal(e)
	require.NoError(t, err)
	return string(b)
}

// What looks like a violation and is none.
func TestWhatIsAccountedForIsOK(t *testing.T) {
	t.Parallel()
	url, pool := database(t)
	for name, arrange := range map[string]func(s *site){
		"erased": func(s *site) {
			s.exec(`DELETE FROM history.points WHERE driver = 'd1'`)
			s.exec(`INSERT INTO history.removed (reason, driver, day, points) VALUES ('erased', 'd1', $1, 4)`, s.began.UTC())
		},
		"erased, and two that history met later": func(s *site) {
			s.exec(`DELETE FROM history.points WHERE driver = 'd1'`)
			s.exec(`INSERT INTO history.removed (reason, driver, day, points) VALUES ('erased', 'd1', $1, 2), ('erased', 'd1', $1, 2)`, s.began.UTC())
			s.exec(`INSERT INTO history.erased VALUES ('d1', '2026-01-01', $1)`, s.seq(3))
		},
		"a parked point, erased": func(s *site) {
			s.exec(`DELETE FROM history.points WHERE driver = 'd1' AND seq = $1`, s.seq(3))
			s.exec(`INSERT INTO history.erased VALUES ('d1', now(), $1)`, s.seq(2))
			s.count(`UPDATE heatmap.cells SET n = n - 1 WHERE cell = 1`)
		},
		"expired": func(s *site) {
			s.exec(`DELETE FROM history.points WHERE driver = 'd1'`)
			s.exec(`INSERT INTO history.removed (reason, day, points, not_rising) VALUES ('expired', $1, 4, 0), ('expired', $1, 1, 1)`, s.began.UTC())
		},
		"parked": func(s *site) {
			s.exec(`DELETE FROM history.points WHERE driver = 'd1' AND seq = $1`, s.seq(3))
			s.exec(`INSERT INTO shardgroup.dead_records SELECT id, 's0', '106', 0, 'd1', $1, now(), 'poison' FROM shardgroup.streams`, s.records[6].Data)
			s.count(`UPDATE heatmap.cells SET n = n - 1 WHERE cell = 1`)
		},
		"parked by history alone": func(s *site) {
			s.exec(`DELETE FROM history.points WHERE driver = 'd1' AND seq = $1`, s.seq(3))
			s.exec(`INSERT INTO shardgroup.dead_records SELECT id, 's0', '106', 0, 'd1', $1, now(), 'poison' FROM shardgroup.streams
				WHERE group_name = 'history'`, s.records[6].Data)
		},
		"parked by the heatmap alone": func(s *site) {
			s.exec(`INSERT INTO shardgroup.dead_records SELECT id, 's0', '106', 0, 'd1', $1, now(), 'poison' FROM shardgroup.streams
				WHERE group_name = 'heatmap'`, s.records[6].Data)
			s.count(`UPDATE heatmap.cells SET n = n - 1 WHERE cell = 1`)
		},
		"lost in an allowed gap": func(s *site) {
			s.exec(`DELETE FROM history.points WHERE driver = 'd1' AND seq = $1`, s.seq(3))
			s.records = append(s.records[:6:6], s.records[7:]...)
			s.gap()
			s.cfg.AllowGaps = true
		},
		"promised after the checkpoint": func(s *site) {
			s.exec(`UPDATE shardgroup.checkpoints SET arrived_at = $1, tip_at = $1`, s.began.Add(-time.Second))
			s.promise(s.points("d1", 0, 1, 2, 3, 4, 5))
		},
		"history is ahead of the heatmap": func(s *site) {
			s.point("d1", 4, true)
			s.exec(`UPDATE shardgroup.checkpoints SET sequence = '108' WHERE stream_id = (SELECT id FROM shardgroup.streams WHERE group_name = 'history')`)
		},
		"the heatmap is ahead of history": func(s *site) {
			s.point("d1", 4, false)
			s.count(`UPDATE heatmap.cells SET n = n + 1 WHERE cell = 1`)
			s.exec(`UPDATE shardgroup.checkpoints SET sequence = '108' WHERE stream_id = (SELECT id FROM shardgroup.streams WHERE group_name = 'heatmap')`)
		},
		"a producer's retry": func(s *site) {
			s.records = append(s.records, s.records[7])
			s.records[8].Sequence = "108"
			s.exec(`UPDATE shardgroup.checkpoints SET sequence = '108'`)
		},
		"a driver sent an older point, and then a newer one again": func(s *site) {
			s.pointTaken("d1", -2, 10, true)
			s.pointTaken("d1", -1, 10, true)
			s.pointTaken("d1", 4, 11, true)
			s.count(`UPDATE heatmap.cells SET n = n + 1 WHERE cell = 1`)
			s.exec(`UPDATE shardgroup.checkpoints SET sequence = '110'`)
		},
		"a driver sent an older point, which the stream keeps no longer": func(s *site) {
			s.pointTaken("d1", -1, 10, true)
			s.records = s.records[:8]
		},
		"the stream unread": func(s *site) { s.cfg.NoStream, s.records = true, nil },
		"a dead letter with its reason": func(s *site) {
			s.dead["ride-requests-dlq"] = deadLetters{count: 2, messages: []peeked{
				{MessageID: "m1", Body: "?", MessageAttribute: json.RawMessage(`{"Name":"DeadLetterReason","Value":{"StringValue":"no JSON","DataType":"String"}}`)},
				{MessageID: "m2", Body: request(s.t, open)},
			}}
			s.exec(`INSERT INTO ride.ride_events (ride_id, kind, at, by, attempt, data) VALUES ($1, 'dead_lettered', now(), 'w', 1, '{"reason": "poison"}')`, open)
		},
		"the readers catch up": func(s *site) {
			s.cfg.Wait = time.Minute
			s.exec(`UPDATE shardgroup.checkpoints SET tip_at = now() + interval '1 min'`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, url, pool)
			arrange(s)
			r := s.audit()
			for _, c := range r.Checks {
				require.True(t, c.OK, "%s: %s", c.Name, c.Detail)
			}
		})
	}
}

func TestDecodePeek(t *testing.T) {
	one := `{"MessageId":"m1","Body":"b","MessageAttribute":[{"Name":"a","Value":{"StringValue":"1"}},{"Name":"DeadLetterReason","Value":{"StringValue":"why"}}]}`
	sdk := `{"MessageId":"m1","Body":"b","MessageAttributes":{"DeadLetterReason":{"DataType":"String","StringValue":"why"}}}`
	for message, n := range map[string]int{"null": 0, "[]": 0, one: 1, "[" + sdk + "]": 1, "[" + one + "," + one + "]": 2} {
		got, err := decodePeek(fmt.Appendf(nil, `{"ReceiveMessageResponse":{"ReceiveMessageResult":{"Message":%s}}}`, message))
		require.NoError(t, err)
		require.Len(t, got, n)
		for _, m := range got {
			require.Equal(t, "why", m.attribute("DeadLetterReason"))
			require.Empty(t, m.attribute("other"))
		}
	}
	_, err := decodePeek([]byte("<xml/>"))
	require.Error(t, err)
}

// A shard that was drained a moment ago stands for its children until they are listed: what
// lies in them is not applied yet.
func TestADrainedShardStandsForItsChildren(t *testing.T) {
	url, pool := database(t)
	s := newSite(t, url, pool)
	drained := s.began.Add(-time.Minute).Truncate(time.Second)
	s.exec(`UPDATE shardgroup.checkpoints SET arrived_at = $1, tip_at = NULL`, drained)
	s.exec(`UPDATE shardgroup.leases SET completed_at = now()`)
	s.exec(`INSERT INTO shardgroup.leases (stream_id, shard) SELECT id, 's1' FROM shardgroup.streams`)
	s.exec(`INSERT INTO shardgroup.checkpoints (stream_id, shard, sequence, sub, arrived_at, tip_at) SELECT id, 's1', '107', 0, now(), now() FROM shardgroup.streams`)
	known := func() time.Time {
		g, err := readGroup(t.Context(), pool, "history")
		require.NoError(t, err)
		return g.known()
	}
	require.WithinDuration(t, drained, known(), 0)

	s.exec(`INSERT INTO shardgroup.leases (stream_id, shard, parents) SELECT id, 's2', '{s0}' FROM shardgroup.streams`)
	s.exec(`INSERT INTO shardgroup.checkpoints (stream_id, shard, sequence, sub, arrived_at) SELECT id, 's2', '', 0, now() FROM shardgroup.streams`)
	require.WithinDuration(t, time.Now(), known(), 30*time.Second)
}
