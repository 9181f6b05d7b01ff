package shardgroup

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/stream/shardreader/fakestream"
)

const (
	simLease   = 10 * time.Second
	simSteps   = 120             // of the time with faults
	simSettles = 5 * time.Minute // once there are no more faults: a throttled reader finds back slowly
	simKeys    = 12
)

// Several workers of one group on a clock of their own, with faults that a seed draws:
// every record is applied once and in order, or parked, or in a gap that is declared.
// TANDEM_SIM_SEEDS=1-1000 runs so many others (make sim). The seed draws the faults and
// how often they come; in which order goroutines run it does not, so a failure prints
// what happened.
func TestASimulatedGroupAppliesEachRecordOnce(t *testing.T) {
	t.Parallel()
	first, last := 1, 12
	if v := os.Getenv("TANDEM_SIM_SEEDS"); v != "" {
		n, _ := fmt.Sscanf(v, "%d-%d", &first, &last)
		require.Equal(t, 2, n, "TANDEM_SIM_SEEDS is %q; allowed is two numbers, as 1-1000", v)
	}

	slowest := time.Duration(0)
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { slowest = max(slowest, simulate(t, uint64(seed))) })
		})
	}
	t.Logf("seeds %d to %d: all was applied within %v of the last fault", first, last, slowest)
}

// simulate returns how long it took, after the last fault, until all was applied.
func simulate(t *testing.T, seed uint64) time.Duration {
	s := newSim(seed)
	defer func() {
		if t.Failed() {
			t.Logf("seed %d:\n%s", seed, strings.Join(s.story(), "\n"))
		}
	}()

	script := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // chance, not secrecy
	for range 1 + script.IntN(3) {
		s.start()
	}
	for range simSteps {
		time.Sleep(time.Duration(1+script.IntN(2500)) * time.Millisecond)
		s.happen(script)
		if s.wrong() != "" {
			break
		}
	}
	s.calm()
	calmed := time.Now()
	for s.wrong() == "" && s.left() != "" && time.Since(calmed) < simSettles {
		time.Sleep(100 * time.Millisecond)
	}
	took := time.Since(calmed)

	left, peaceful := s.left(), s.running()
	s.stopAll()
	require.Empty(t, s.wrong())
	require.Empty(t, left, "after %v without faults", took)
	require.Empty(t, s.leftBehind(peaceful))
	return took
}

// happen lets something happen.
func (s *sim) happen(script *rand.Rand) {
	some := func(least, most time.Duration) time.Duration {
		return (least + time.Duration(script.Int64N(int64(most-least)))).Truncate(time.Millisecond)
	}
	running := s.running()
	var one *proc
	if len(running) > 0 {
		one = running[script.IntN(len(running))]
	}

	switch n := script.IntN(100); {
	case n < 45:
		for range 1 + script.IntN(8) {
			time.Sleep(time.Millisecond) // no two arrive at the same time, so a gap says which are lost
			s.put(script.IntN(simKeys), script.IntN(100))
		}
	case n < 51:
		s.split(script)
	case n < 57:
		s.merge(script)
	case n < 63 && len(running) < 5, one == nil:
		s.start()
	case n < 68:
		s.logf("%s is stopped", one.id)
		one.ask()
	case n < 73:
		s.logf("%s dies", one.id)
		one.die(script.IntN(2) == 0)
	case n < 81:
		d := some(time.Second, 25*time.Second)
		s.logf("%s is frozen for %v", one.id, d)
		one.freeze(d)
	case n < 86:
		d, hangs := some(time.Second, 20*time.Second), script.IntN(2) == 0
		s.logf("the database is away for %v; calls wait: %v", d, hangs)
		s.away(d, hangs)
	case n < 90:
		d := some(time.Second, 10*time.Second)
		s.logf("the stream fails for %v", d)
		s.failStream(d)
	case n < 93:
		s.logf("iterators expire")
		s.stream.Expire()
	case n < 98:
		s.pause(some(time.Second, 15*time.Second), script)
	default:
		s.recreate()
	}
}

// calm ends all faults. A last record of each key lets every shard be committed to again.
func (s *sim) calm() {
	s.logf("no more faults")
	s.dice.Lock()
	s.rates = simRates{}
	s.dice.Unlock()
	s.back()
	s.failStream(0)
	s.stream.Limit(10_000)
	for _, p := range s.all() {
		p.thaw()
	}
	s.abort((*proc).isDead) // the database notices at last, also without a time-out
	s.resumeAll()
	if len(s.running()) == 0 {
		s.start()
	}

	for key := range simKeys {
		time.Sleep(time.Millisecond)
		s.put(key, 99)
	}
}

// stopAll stops what runs, and lets what has died end.
func (s *sim) stopAll() {
	for _, p := range s.all() {
		p.ask()
		<-p.ended
	}
	s.persons.Wait()
}

// leftBehind says what processes that were stopped without a fault have left in their name.
func (s *sim) leftBehind(peaceful []*proc) string {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	stopped := map[string]bool{}
	for _, p := range peaceful {
		stopped[p.id] = true
		if _, counts := s.m.workers[p.id]; counts {
			return p.id + " was stopped and still counts as a worker"
		}
	}
	for _, of := range s.m.lives {
		for _, l := range of.leases {
			if l.held(s.m.now()) && stopped[l.Owner] {
				return fmt.Sprintf("%s was stopped and holds %s", l.Owner, l.Shard)
			}
		}
	}
	return ""
}

// simRates say how often a call goes wrong. They are other ones for each seed.
type simRates struct {
	fails, lost, slow  float64 // of calls: before they are carried out, after it, for seconds
	part, lies, labour float64 // of batches: committed in part, rolled back in silence, applied for seconds
	noticeOff          float64 // of notifications: lost
}

func newSim(seed uint64) *sim {
	draw := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // chance, not secrecy
	m := newModel()
	m.fast = 0.1 * draw.Float64()
	if draw.IntN(3) > 0 {
		m.idle = simLease * 8 / 10
	}

	s := &sim{
		m: m, draw: draw, began: time.Now(), working: map[*proc]map[simAt]context.Context{}, owners: map[simAt]string{}, taken: map[simAt]bool{},
		byData: map[string]*simRecord{}, last: map[int]int{}, open: map[*modelTx]*proc{}, poison: Poison(draw.IntN(2)), most: draw.IntN(4),
		rates: simRates{
			fails: 0.04 * draw.Float64(), lost: 0.04 * draw.Float64(), slow: 0.02 * draw.Float64(),
			part: 0.2 * draw.Float64(), lies: 0.1 * float64(draw.IntN(2)), labour: 0.3 * draw.Float64(), noticeOff: draw.Float64(),
		},
	}
	s.lying, m.acquired = s.rates.lies > 0, s.acquiredBy
	n := 1 + draw.IntN(4)
	var names []string
	for i := range n {
		names = append(names, fmt.Sprint("s", i))
		s.shards = append(s.shards, &simShard{name: names[i], from: i * simKeys / n, to: (i + 1) * simKeys / n, open: true})
	}
	s.named = n
	s.stream = fakestream.New(names...)
	s.stream.Limit(cmp.Or(draw.IntN(20), 1))
	s.created = s.m.began.Truncate(time.Millisecond)
	for _, sh := range s.shards {
		sh.life = s.created
	}
	return s
}
