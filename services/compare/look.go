package compare

import (
	"slices"
	"strings"
	"time"

	"tandem/services/internal/stream/shardreader"
)

// look returns the session as it is now. The teams are looked at before the tee, so
// that none has more than was sent.
func (s *session) look(from cursor) View {
	if from.session != s.id {
		from = cursor{session: s.id}
	}
	v := View{State: stateRunning, Session: s.id, At: time.Now().UnixMilli(), StartedAt: s.began.UnixMilli()}

	v.Queue, v.Stream = &Queue{Via: "queue"}, &Stream{}
	for i, name := range teams() {
		v.Queue.Teams = append(v.Queue.Teams, s.left[i].look(name, &from.teams[i].generation, &from.teams[i].got, &v.More))
		v.Stream.Teams = append(v.Stream.Teams, s.right[i].look(name, &from.teams[4+i].generation, &from.teams[4+i].got, &v.More))
	}
	v.Queue.Union, v.Queue.Overlap = union(s.left)
	s.lookRight(v.Stream)

	s.mu.Lock()
	v.Acts = append([]string{}, s.acts...)
	counts, jobs := s.counts, s.jobs
	s.mu.Unlock()
	if !counts.at.IsZero() {
		v.Queue.CountedAt, v.Queue.Waiting, v.Queue.InFlight = counts.at.UnixMilli(), &counts.waiting, &counts.inFlight
	}
	if jobs != nil {
		v.Jobs = jobs.look()
	}

	s.tee.look(&v, &from.points)
	v.Cursor = from.String()
	return v
}

// lookRight adds checksums and lags.
func (s *session) lookRight(out *Stream) {
	out.Through = maxPoints
	for i, t := range out.Teams {
		if t.JoinedAt != nil {
			out.Through = min(out.Through, s.right[i].complete())
		}
	}

	s.reads.Lock()
	states := make([][]shardreader.ShardState, len(s.stream))
	for i, r := range s.stream {
		if r != nil {
			states[i] = r.state()
		}
	}
	s.reads.Unlock()

	for i := range out.Teams {
		t := &out.Teams[i]
		if t.JoinedAt != nil {
			t.Checksum = s.right[i].checksum(out.Through)
			t.lag(states[i])
		}
	}
}

// lag adds how far each shard is read, where that is known.
func (t *Team) lag(states []shardreader.ShardState) {
	for _, st := range states {
		if st.PolledAt.IsZero() || st.Err != nil {
			continue
		}
		ms := st.Behind.Milliseconds()
		if t.BehindMS == nil || ms > *t.BehindMS {
			t.BehindMS = &ms
		}
		for k := range t.Shards {
			if t.Shards[k].Shard == st.Shard {
				t.Shards[k].BehindMS = &ms
			}
		}
	}
}

// complete returns the number up to which the table has every point.
func (t *table) complete() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.through
}

// look returns the team, with what it got since the cursor, which it moves on.
func (t *table) look(name string, generation, got *int, more *bool) Team {
	t.mu.Lock()
	defer t.mu.Unlock()

	if *generation != t.generation || *got > len(t.got) {
		*generation, *got = t.generation, 0
	}
	out := Team{Name: name, Generation: t.generation, Count: len(t.got), Repeats: t.repeats, After: *got, Got: []int{}, Lost: t.regrown()}
	if t.joined >= 0 {
		joined := t.joined
		out.JoinedAt = &joined
	}
	if len(t.got) > 0 {
		out.Last = t.got[len(t.got)-1]
	}

	end := min(len(t.got), *got+maxRows)
	out.Got = append(out.Got, t.got[*got:end]...)
	*got, *more = end, *more || end < len(t.got)

	for shard, n := range t.shards {
		out.Shards = append(out.Shards, Shard{Shard: shard, Records: n})
	}
	slices.SortFunc(out.Shards, func(a, b Shard) int { return strings.Compare(a.Shard, b.Shard) })
	return out
}

// union returns how many points any of the tables has, and how many more they have
// together.
func union(tables []*table) (any, more int) {
	has := make([]bool, maxPoints)
	for _, t := range tables {
		t.mu.Lock()
		for _, n := range t.got {
			if has[n-1] {
				more++
				continue
			}
			has[n-1] = true
			any++
		}
		t.mu.Unlock()
	}
	return any, more
}

// look adds the tee's part, with what it sent since the cursor, which it moves on.
func (t *tee) look(v *View, after *int) {
	t.mu.Lock()
	defer t.mu.Unlock()

	v.Sent, v.Cars = t.handed, len(t.cars)
	if t.topic >= 0 {
		v.Queue.Via, v.Queue.After = "topic", t.topic
	}
	if t.handed >= maxPoints {
		v.State = stateFull
	}
	if t.failed != nil {
		v.Error = "SQS, SNS or Kinesis does not take points at present; they are sent again."
	}

	*after = min(*after, t.handed)
	end := min(t.handed, *after+maxRows)
	v.Points = &Points{After: *after, Rows: [][5]*float64{}}
	for _, m := range t.points[*after:end] {
		v.Points.Rows = append(v.Points.Rows, [5]*float64{new(float64(m.Car)), &m.Lat, &m.Lon, m.Heading, new(float64(m.At))})
	}
	*after, v.More = end, v.More || end < t.handed
}
