package shardgroup

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader"
)

// contract is a store under test, and what a person does to it.
type contract struct {
	leaseStore
	checkpointStore
	take func(ctx context.Context, id int64, shard string, pause bool) error
	gaps func(t *testing.T) []modelGap
}

// Conform runs the same calls against the SQL on pool and against the model.
func Conform(t *testing.T, pool *pgxpool.Pool) {
	tests := map[string]func(*testing.T, contract){
		"leases": conformLeases, "commits": conformCommits, "locks": conformLocks, "children": conformChildren,
		"pauses": conformPauses, "leaving": conformLeaving, "lives": conformLives, "losses": conformLosses, "notifications": conformNotifications,
	}
	for name, test := range tests {
		t.Run("SQL/"+name, func(t *testing.T) {
			t.Parallel()
			test(t, sqlContract(pool, t.Name()))
		})
		t.Run("model/"+name, func(t *testing.T) {
			m := newModel()
			test(t, contract{m, m, m.take, func(*testing.T) []modelGap {
				return slices.SortedFunc(slices.Values(m.gaps), func(a, b modelGap) int { return a.from.Compare(b.from) })
			}})
		})
	}
}

func sqlContract(pool *pgxpool.Pool, group string) contract {
	s := &store{pool: pool, group: group}
	take := func(ctx context.Context, _ int64, shard string, pause bool) error {
		return s.begin(ctx, func(tx pgx.Tx) error {
			states, err := States(ctx, tx, group)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(states, func(s ShardState) bool { return s.Shard == shard })
			if pause {
				return Pause(ctx, tx, states[i])
			}
			return Resume(ctx, tx, states[i])
		})
	}
	gaps := func(t *testing.T) (out []modelGap) {
		rows, err := pool.Query(t.Context(), `
			SELECT g.from_at, g.to_at, g.stream_id, g.shard, g.reason FROM shardgroup.gaps g JOIN shardgroup.streams s ON s.id = g.stream_id
			WHERE s.group_name = $1 ORDER BY g.from_at`, group)
		require.NoError(t, err)
		var g modelGap
		_, err = pgx.ForEachRow(rows, []any{&g.from, &g.to, &g.life, &g.shard, &g.reason}, func() error { out = append(out, g); return nil })
		require.NoError(t, err)
		return out
	}
	return contract{s, s, take, gaps}
}

const lasts = time.Hour // of a lease that does not expire while a test looks

// ago is a time that Postgres keeps as it is.
func ago(d time.Duration) time.Time { return time.Now().Add(-d).Truncate(time.Millisecond) }

// registered returns a life of a stream that was created then, with these shards.
func (c contract) registered(t *testing.T, created time.Time, shards ...Shard) life {
	t.Helper()
	l, err := c.register(t.Context(), shardreader.Stream{ARN: "s", Created: created, Retention: 24 * time.Hour}, false)
	require.NoError(t, err)
	require.NoError(t, c.addShards(t.Context(), l, shards))
	return l
}

// acquires lets a worker acquire a lease as it stands.
func (c contract) acquires(t *testing.T, of life, shard, worker string, ttl time.Duration) (Lease, bool) {
	t.Helper()
	l, ok, err := c.acquire(t.Context(), of.id, Move{Shard: shard, To: worker, Epoch: c.lease(t, of, shard).Epoch}, ttl)
	require.NoError(t, err)
	return l, ok
}

func (c contract) lease(t *testing.T, of life, shard string) Lease {
	t.Helper()
	v, err := c.view(t.Context(), of.id)
	require.NoError(t, err)
	i := slices.IndexFunc(v.leases, func(l Lease) bool { return l.Shard == shard })
	require.GreaterOrEqual(t, i, 0, shard)
	return v.leases[i]
}

func (c contract) renews(t *testing.T, of life, worker string, leases ...Lease) map[string]bool {
	t.Helper()
	renewals := make([]renewal, len(leases))
	for i, l := range leases {
		renewals[i] = renewal{shard: l.Shard, epoch: l.Epoch}
	}
	ours, err := c.renew(t.Context(), of.id, worker, lasts, renewals)
	require.NoError(t, err)
	return ours
}

// commits writes a checkpoint in a transaction of its own.
func (c contract) commits(t *testing.T, of life, l Lease, from, next string, change ...func(*step)) error {
	t.Helper()
	st := step{stream: of.id, lease: l, from: shardreader.Position{Shard: l.Shard, Sequence: from}, next: shardreader.Position{Shard: l.Shard, Sequence: next}}
	for _, f := range change {
		f(&st)
	}
	return c.begin(t.Context(), func(tx pgx.Tx) error { return c.commit(t.Context(), tx, st) })
}

func closed(st *step) { st.closed = true }

func arrived(at time.Time) func(*step) { return func(st *step) { st.arrived = at } }

// planned returns the shards that Plan has somebody acquire.
func (c contract) planned(t *testing.T, of life) (shards []string) {
	t.Helper()
	v, err := c.view(t.Context(), of.id)
	require.NoError(t, err)
	for _, m := range Plan(v.now, v.shards, v.leases, v.workers) {
		if m.To != "" {
			shards = append(shards, m.Shard)
		}
	}
	return shards
}

func conformLeases(t *testing.T, c contract) {
	of := c.registered(t, ago(time.Hour), Shard{ID: "0"}, Shard{ID: "1"})
	fresh := c.lease(t, of, "0")
	require.Empty(t, fresh.Owner)
	require.False(t, fresh.held(time.Now().Add(-lasts)))

	a, ok := c.acquires(t, of, "0", "a", lasts)
	require.True(t, ok)
	require.Equal(t, Lease{Shard: "0", Owner: "a", Epoch: fresh.Epoch + 1}, a)
	held := c.lease(t, of, "0")
	require.Equal(t, "a", held.Owner)
	require.Equal(t, a.Epoch, held.Epoch)
	_, ok = c.acquires(t, of, "0", "b", lasts)
	require.False(t, ok, "it is held")

	other := a
	other.Epoch--
	require.Equal(t, map[string]bool{"0": true}, c.renews(t, of, "a", a, Lease{Shard: "none"}))
	require.Empty(t, c.renews(t, of, "b", a), "another owner's")
	require.Empty(t, c.renews(t, of, "a", other), "of another epoch")

	for _, l := range []Lease{other, {Shard: "0", Owner: "b", Epoch: a.Epoch}} {
		require.NoError(t, c.release(t.Context(), of.id, l))
		require.Equal(t, "a", c.lease(t, of, "0").Owner, "who does not hold it releases nothing")
	}
	require.NoError(t, c.release(t.Context(), of.id, a))
	require.Empty(t, c.lease(t, of, "0").Owner)
	_, ok, err := c.acquire(t.Context(), of.id, Move{Shard: "0", To: "b", Epoch: fresh.Epoch}, lasts)
	require.NoError(t, err)
	require.False(t, ok, "planned on an older epoch")

	// One that has expired is extended, or acquired by another.
	b, ok := c.acquires(t, of, "0", "b", -time.Second)
	require.True(t, ok)
	require.Equal(t, a.Epoch+1, b.Epoch)
	require.Equal(t, map[string]bool{"0": true}, c.renews(t, of, "b", b))
	_, ok = c.acquires(t, of, "0", "a", lasts)
	require.False(t, ok)
	expired, _ := c.acquires(t, of, "1", "b", -time.Second)
	again, ok := c.acquires(t, of, "1", "a", lasts)
	require.True(t, ok)
	require.Equal(t, expired.Epoch+1, again.Epoch)
	require.Equal(t, map[string]bool{"0": true}, c.renews(t, of, "b", b, expired))
}

func conformCommits(t *testing.T, c contract) {
	of := c.registered(t, ago(time.Hour), Shard{ID: "0"})
	l, _ := c.acquires(t, of, "0", "a", lasts)
	at := ago(time.Minute)
	require.NoError(t, c.commits(t, of, l, "", "1", arrived(at), func(st *step) { st.tip = at.Add(time.Second) }))
	require.NoError(t, c.commits(t, of, l, "1", "2", func(st *step) { st.tip = at }))

	is, err := c.checkpoint(t.Context(), of.id, "0")
	require.NoError(t, err)
	require.Equal(t, shardreader.Position{Shard: "0", Sequence: "2"}, is.Position)
	require.True(t, is.arrived.Equal(at), "no record says nothing of an arrival")
	require.True(t, is.tip.Equal(at.Add(time.Second)), "the tip does not go back")
	require.True(t, c.lease(t, of, "0").known.Equal(is.tip))
	_, err = c.checkpoint(t.Context(), of.id, "none")
	require.Error(t, err)

	for _, from := range []string{"", "1", "3"} {
		require.ErrorIs(t, c.commits(t, of, l, from, "9"), errRolledBack, "only on top of the checkpoint")
	}
	for name, change := range map[string]func(*Lease){
		"owner": func(l *Lease) { l.Owner = "b" }, "epoch": func(l *Lease) { l.Epoch-- }, "shard": func(l *Lease) { l.Shard = "none" },
	} {
		former := l
		change(&former)
		require.ErrorIs(t, c.commits(t, of, former, "2", "9"), ErrFenced, name)
	}

	// What a transaction wrote is seen by it, and by others once it has committed.
	next := step{stream: of.id, lease: l, from: is.Position, next: shardreader.Position{Shard: "0", Sequence: "3"}}
	then := step{stream: of.id, lease: l, from: next.next, next: shardreader.Position{Shard: "0", Sequence: "4"}}
	require.ErrorIs(t, c.begin(t.Context(), func(tx pgx.Tx) error {
		require.NoError(t, c.commit(t.Context(), tx, next))
		require.NoError(t, c.commit(t.Context(), tx, then))
		is, err = c.checkpoint(t.Context(), of.id, "0")
		require.NoError(t, err)
		return context.Canceled
	}), context.Canceled)
	require.Equal(t, "2", is.Sequence)
	require.NoError(t, c.commits(t, of, l, "2", "3"), "nothing of it is left")

	require.NoError(t, c.release(t.Context(), of.id, l))
	require.ErrorIs(t, c.commits(t, of, l, "3", "9"), ErrFenced)
	l, _ = c.acquires(t, of, "0", "a", -time.Second)
	require.ErrorIs(t, c.commits(t, of, l, "3", "9"), ErrFenced, "it has expired")
}

// Whoever has committed under a lease keeps it until its transaction ends, and holds up
// neither renewals nor the planning.
func conformLocks(t *testing.T, c contract) {
	of := c.registered(t, ago(time.Hour), Shard{ID: "0"}, Shard{ID: "1"})
	within := func(l Lease, end bool, f func()) {
		require.NoError(t, c.begin(t.Context(), func(tx pgx.Tx) error {
			err := c.commit(t.Context(), tx, step{stream: of.id, lease: l, next: shardreader.Position{Shard: l.Shard, Sequence: "1"}, closed: end})
			f()
			return err
		}))
	}

	l, _ := c.acquires(t, of, "0", "a", lasts)
	within(l, false, func() {
		require.Equal(t, map[string]bool{"0": true}, c.renews(t, of, "a", l))
		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		require.Error(t, c.take(short, of.id, "0", true), "a person waits for it")
		require.NoError(t, c.release(t.Context(), of.id, l))
		_, ok := c.acquires(t, of, "0", "b", lasts)
		require.False(t, ok, "another looks again later")
	})
	require.Eventually(t, func() bool { // what was given up may hold the row for a moment
		_, ok := c.acquires(t, of, "0", "b", lasts)
		return ok
	}, 20*time.Second, 10*time.Millisecond)

	l, _ = c.acquires(t, of, "1", "a", lasts)
	within(l, true, func() {
		require.Equal(t, map[string]bool{"1": false}, c.renews(t, of, "a", l), "still ours, and extended by the next renewal")
		require.False(t, c.lease(t, of, "1").Completed)
	})
	require.True(t, c.lease(t, of, "1").Completed)
}

func conformChildren(t *testing.T, c contract) {
	at := ago(time.Minute)
	of := c.registered(t, ago(time.Hour), Shard{ID: "0"})
	require.Equal(t, map[string]bool{}, c.renews(t, of, "a"))
	require.Equal(t, []string{"0"}, c.planned(t, of))
	l, _ := c.acquires(t, of, "0", "a", lasts)
	require.NoError(t, c.commits(t, of, l, "", "1", arrived(at)))

	shards := []Shard{{ID: "0"}, {ID: "1", Parents: []string{"0"}}, {ID: "2", Parents: []string{"0", "gone"}}}
	require.NoError(t, c.addShards(t.Context(), of, shards))
	require.NoError(t, c.addShards(t.Context(), of, shards), "again changes nothing")
	v, err := c.view(t.Context(), of.id)
	require.NoError(t, err)
	require.Equal(t, []Shard{{ID: "0", Parents: []string{}}, shards[1], shards[2]}, v.shards)
	require.True(t, v.leases[1].known.Equal(at), "none of its records arrived before its parent's last")
	require.Empty(t, c.planned(t, of), "the parent is not drained")

	require.NoError(t, c.commits(t, of, l, "1", "1", closed))
	require.Equal(t, []string{"1", "2"}, c.planned(t, of))
	drained := c.lease(t, of, "0")
	require.True(t, drained.Completed)
	require.Empty(t, drained.Owner)

	_, ok := c.acquires(t, of, "0", "b", lasts)
	require.False(t, ok, "nobody reads a drained shard")
	require.Empty(t, c.renews(t, of, "a", l))
	require.ErrorIs(t, c.commits(t, of, l, "1", "2"), ErrFenced)
	require.ErrorIs(t, c.take(t.Context(), of.id, "0", true), ErrMoved)
}

func conformPauses(t *testing.T, c contract) {
	of := c.registered(t, ago(time.Hour), Shard{ID: "0"})
	c.renews(t, of, "a")
	l, _ := c.acquires(t, of, "0", "a", lasts)
	require.NoError(t, c.take(t.Context(), of.id, "0", true))

	require.Empty(t, c.planned(t, of))
	require.ErrorIs(t, c.commits(t, of, l, "", "1"), ErrFenced)
	require.Empty(t, c.renews(t, of, "a", l))
	paused := c.lease(t, of, "0")
	require.True(t, paused.Paused)
	require.Equal(t, l.Epoch+1, paused.Epoch)

	require.NoError(t, c.take(t.Context(), of.id, "0", false))
	require.Equal(t, []string{"0"}, c.planned(t, of))
	again, ok := c.acquires(t, of, "0", "a", lasts)
	require.True(t, ok)
	require.ErrorIs(t, c.commits(t, of, l, "", "1"), ErrFenced, "of the same owner's older epoch")
	require.NoError(t, c.commits(t, of, again, "", "1"))
}

func conformLeaving(t *testing.T, c contract) {
	of := c.registered(t, ago(time.Hour), Shard{ID: "0"}, Shard{ID: "1"}, Shard{ID: "2"})
	for shard, worker := range map[string]string{"0": "a", "1": "b", "2": "a"} {
		c.renews(t, of, worker)
		l, _ := c.acquires(t, of, shard, worker, lasts)
		if shard == "2" {
			require.NoError(t, c.commits(t, of, l, "", "", closed))
		}
	}

	require.NoError(t, c.leave(t.Context(), of.id, "a"))
	v, err := c.view(t.Context(), of.id)
	require.NoError(t, err)
	require.Len(t, v.workers, 1)
	require.Equal(t, "b", v.workers[0].ID)
	require.True(t, v.workers[0].ExpiresAt.After(v.now))
	require.Empty(t, v.leases[0].Owner)
	require.Equal(t, "b", v.leases[1].Owner)
	require.True(t, v.leases[2].Completed)
	require.Equal(t, []string{"0"}, c.planned(t, of))
}

func conformLives(t *testing.T, c contract) {
	created, again, at := ago(time.Hour), ago(time.Minute), ago(30*time.Minute)
	stream := shardreader.Stream{ARN: "s", Created: created, Retention: 24 * time.Hour}
	of, err := c.register(t.Context(), stream, true)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), of.startAt, time.Minute, "LATEST is a time from here on")
	twice, err := c.register(t.Context(), stream, true)
	require.NoError(t, err)
	require.Equal(t, of.id, twice.id)
	require.True(t, twice.startAt.Equal(of.startAt))

	require.NoError(t, c.addShards(t.Context(), of, []Shard{{ID: "0"}, {ID: "1"}, {ID: "2", Parents: []string{"1"}}, {ID: "3"}}))
	c.renews(t, of, "a")
	l, _ := c.acquires(t, of, "0", "a", lasts)
	require.NoError(t, c.commits(t, of, l, "", "1", arrived(at)))
	for _, shard := range []string{"1", "3"} {
		drained, _ := c.acquires(t, of, shard, "a", lasts)
		require.NoError(t, c.commits(t, of, drained, "", "", closed))
	}
	known := c.lease(t, of, "0").known

	stream.Created = again
	now, err := c.register(t.Context(), stream, true)
	require.NoError(t, err)
	require.NotEqual(t, of.id, now.id)
	require.Zero(t, now.startAt, "all of it is wanted")
	twice, err = c.register(t.Context(), stream, true)
	require.NoError(t, err)
	require.Equal(t, now.id, twice.id)

	gaps := c.gaps(t)
	require.Len(t, gaps, 3, "one of each shard that was not drained, or whose children are not known")
	slices.SortFunc(gaps, func(a, b modelGap) int { return cmp.Compare(a.shard, b.shard) })
	require.Equal(t, []string{"0", "2", "3"}, []string{gaps[0].shard, gaps[1].shard, gaps[2].shard})
	require.Equal(t, []any{of.id, "stream_recreated"}, []any{gaps[0].life, gaps[0].reason})
	require.True(t, gaps[0].from.Equal(known) && gaps[0].to.Equal(again))
	over := c.lease(t, of, "0")
	require.True(t, over.Completed)
	require.Equal(t, l.Epoch+1, over.Epoch, "which waits for a commit that is under way")
	require.Empty(t, c.renews(t, of, "a", l))
	require.ErrorIs(t, c.commits(t, of, l, "1", "2"), ErrFenced)
	_, ok := c.acquires(t, of, "0", "b", lasts)
	require.False(t, ok)

	require.NoError(t, c.addShards(t.Context(), now, []Shard{{ID: "0"}}))
	require.Empty(t, c.planned(t, now), "who works on the life before does not count")
	c.renews(t, now, "a")
	require.Equal(t, []string{"0"}, c.planned(t, now))
	is, err := c.checkpoint(t.Context(), now.id, "0")
	require.NoError(t, err)
	require.Empty(t, is.Sequence)
}

func conformLosses(t *testing.T, c contract) {
	of := c.registered(t, ago(time.Hour), Shard{ID: "0"})
	l, _ := c.acquires(t, of, "0", "a", lasts)
	from, to, later := ago(3*time.Minute), ago(2*time.Minute), ago(time.Minute)
	lost := func(from, to time.Time) func(*step) { return func(st *step) { st.gap = &gap{from, to} } }
	park := func(st *step) {
		st.parked = []parkedRecord{{shardreader.Record{Position: shardreader.Position{Shard: "0", Sequence: "1"}, Data: []byte("bad"), Arrived: from}, "why"}}
	}

	require.NoError(t, c.commits(t, of, l, "", "1", park, lost(from, to)))
	require.NoError(t, c.commits(t, of, l, "1", "2", park, lost(to, later)))
	parked, n, err := c.counts(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, parked, "a record is parked once")
	require.EqualValues(t, 1, n, "a gap grows")
	gaps := c.gaps(t)
	require.True(t, gaps[0].from.Equal(from) && gaps[0].to.Equal(later))
	require.Equal(t, "trimmed", gaps[0].reason)

	require.NoError(t, c.commits(t, of, l, "2", "3", lost(from, to)))
	require.Len(t, c.gaps(t), 2)
}

func conformNotifications(t *testing.T, c contract) {
	of := c.registered(t, ago(time.Hour), Shard{ID: "0"})
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan string, 20), make(chan error, 1)
	go func() {
		ended <- c.listen(ctx, func() { heard <- "changed" }, func() { heard <- "recreated" })
	}()
	await := func(what string) {
		t.Helper()
		select {
		case is := <-heard:
			require.Equal(t, what, is)
		case <-time.After(20 * time.Second):
			require.FailNow(t, "nothing was heard", what)
		}
	}

	await("changed") // it listens
	c.renews(t, of, "a")
	l, _ := c.acquires(t, of, "0", "a", lasts)
	require.NoError(t, c.commits(t, of, l, "", "1"))
	require.NoError(t, c.announce(t.Context()))
	await("changed") // by announce: nothing before it is worth a look
	require.NoError(t, c.release(t.Context(), of.id, l))
	await("changed")
	require.NoError(t, c.release(t.Context(), of.id, l))
	require.NoError(t, c.addShards(t.Context(), of, []Shard{{ID: "0"}, {ID: "1", Parents: []string{"0"}}}))
	await("changed")
	require.NoError(t, c.addShards(t.Context(), of, []Shard{{ID: "0"}}))
	l, _ = c.acquires(t, of, "0", "a", lasts)
	require.NoError(t, c.commits(t, of, l, "1", "1", closed))
	await("changed")
	require.NoError(t, c.take(t.Context(), of.id, "1", true))
	await("changed")
	require.NoError(t, c.leave(t.Context(), of.id, "a"))
	await("changed")
	c.registered(t, ago(time.Minute))
	await("recreated")

	cancel()
	require.Error(t, <-ended)
}
