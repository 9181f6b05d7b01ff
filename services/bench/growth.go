package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/kinesisproducer"
	"tandem/services/tools/reshard"
)

const (
	demoShards    = 4                // localstack/messaging.yaml
	growthRate    = 4_000            // points a second that are sent
	growthFor     = 20 * time.Second // is measured
	growthSenders = 1_000            // who each wait for their answer
)

func growthShards() []int  { return []int{1, 4, 16} }
func growthDrivers() []int { return []int{1_000, 10_000, 100_000} }

// grown is what one number of shards and of drivers measured.
type grown struct {
	shards, drivers int
	perSecond       float64            // points that were acknowledged
	lag             float64            // s, of history and heatmap, p95 of the slowest shard
	cpu             map[string]float64 // µs a point, by who took it
	mb              map[string]float64 // memory at the end; of Postgres its first process alone: they share theirs
}

// growthParts are the processes that points pass through.
func growthParts() []string {
	return []string{"producer", "emulator", "history", "heatmap", "mapfeed", "nearby", "postgres"}
}

func total(m map[string]float64) (sum float64) {
	for _, v := range m {
		sum += v
	}
	return sum
}

// runGrowth sends the same number of points a second over more and more shards, and of
// more and more drivers, on a demo for each number of shards.
func runGrowth(ctx context.Context, binary, docs string) error {
	var all []grown
	for _, shards := range growthShards() {
		more, err := growAtShards(ctx, binary, shards)
		if err != nil {
			return fmt.Errorf("%d shards: %w", shards, err)
		}
		all = append(all, more...)
	}

	m := machine()
	fmt.Printf("%s\n\n%s", m, growthTable(all))
	if docs == "" {
		return nil
	}
	if err := os.WriteFile(filepath.Join(docs, "benchmarks-growth.svg"), []byte(growthPlot(all)), 0o644); err != nil { //nolint:gosec // a picture
		return err
	}
	return replaceSection(docs, "growth", fmt.Sprintf("%s%s\n![CPU a point, by shards and drivers](benchmarks-growth.svg)\n\n", measuredOn(m, 1), growthTable(all)))
}

func growAtShards(ctx context.Context, binary string, shards int) (out []grown, err error) {
	d, stop, err := startDemo(ctx, binary, 20, 2)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()

	cfg, err := awsclient.New(ctx, awsclient.Config{Endpoint: d.AWSEndpoint})
	if err != nil {
		return nil, err
	}
	client := kinesis.NewFromConfig(cfg)
	backend, err := profile.BackendByName(profile.Emulator)
	if err != nil {
		return nil, err
	}
	tool := reshard.Tool{Client: client, Stream: event.Stream, Buckets: backend.Buckets, Wait: time.Minute, Every: 100 * time.Millisecond, Out: io.Discard}
	for have := demoShards; have != shards; {
		have = min(max(shards, have/2), 2*have) // Kinesis doubles or halves at most
		if err := tool.Scale(ctx, have); err != nil {
			return nil, err
		}
	}

	for _, drivers := range growthDrivers() {
		g, err := d.grow(ctx, client, backend, drivers)
		if err != nil {
			return nil, err
		}
		g.shards = shards
		out = append(out, g)
		fmt.Fprintf(os.Stderr, "%d shards, %d drivers: %.0f points/s, %.0f µs of CPU a point, lag %.2f s\n", shards, drivers, g.perSecond, total(g.cpu), g.lag)
	}
	return out, nil
}

// grow sends points of so many drivers, each as often as the others.
func (d *demo) grow(ctx context.Context, client *kinesis.Client, backend profile.Backend, drivers int) (g grown, err error) {
	p, err := kinesisproducer.New(kinesisproducer.Options{Client: client, Stream: event.Stream, Buckets: backend.Buckets, Linger: profile.Default().Linger})
	if err != nil {
		return g, err
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, time.Second) }()

	var acked atomic.Int64
	sending, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, growthSenders)
	var senders sync.WaitGroup
	for i := range growthSenders {
		senders.Go(func() { errs[i] = sendPoints(sending, p, i, drivers, &acked) })
	}

	// Each driver's first point, which makes its rows, is not what a point costs.
	if err := pause(ctx, time.Duration(drivers/growthRate+10)*time.Second); err != nil {
		return g, err
	}

	before, err := d.used()
	if err != nil {
		return g, err
	}
	n, began := acked.Load(), time.Now()
	var lags []float64
	for time.Since(began) < growthFor {
		lag, err := d.lag(ctx)
		if err != nil {
			return g, err
		}
		lags = append(lags, lag)
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return g, err
		}
	}

	after, err := d.used()
	if err != nil {
		return g, err
	}
	points := float64(acked.Load() - n)
	g = grown{drivers: drivers, perSecond: points / time.Since(began).Seconds(), cpu: map[string]float64{}, mb: map[string]float64{}}
	for _, part := range growthParts() {
		g.cpu[part] = (after[part].cpu - before[part].cpu).Seconds() * 1e6 / points
		g.mb[part] = float64(after[part].memory) / 1e6
	}

	slices.Sort(lags)
	g.lag = lags[(len(lags)-1)*95/100]

	stop()
	senders.Wait()
	cancel()
	return g, errors.Join(append(errs, <-ended)...)
}

// sendPoints sends the points of every growthSenders-th driver, in turn, as often as makes
// growthRate of all, until ctx ends.
func sendPoints(ctx context.Context, p *kinesisproducer.Producer, first, drivers int, acked *atomic.Int64) error {
	const every = time.Second * growthSenders / growthRate
	next := time.Now().Add(every * time.Duration(first) / growthSenders)
	for driver := first; ; driver = (driver + growthSenders) % drivers {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(next)):
		}
		next = next.Add(every)

		id, now := fmt.Sprintf("driver-%06d", driver), time.Now().UnixMilli()
		angle := float64(now)/600_000 + float64(driver)
		point := event.Point{Driver: id, Seq: now, At: now, Lat: -34.85 + 0.05*math.Sin(angle), Lon: -56.17 + 0.06*math.Cos(angle), Speed: new(8.3), Heading: new(90.0)}
		b, err := point.Encode()
		if err != nil {
			return err
		}
		// Not ctx: what is under way at the end is waited for.
		stored, err := p.Put(context.WithoutCancel(ctx), id, b)
		acked.Add(int64(stored))
		if err != nil {
			return err
		}
	}
}

// lag is how far history's and heatmap's slowest shard is behind, in seconds.
func (d *demo) lag(ctx context.Context) (s float64, err error) {
	err = d.pool.QueryRow(ctx, `
		SELECT extract(epoch FROM max(now() - coalesce(greatest(c.arrived_at, c.tip_at), l.since)))::float8
		FROM shardgroup.leases l LEFT JOIN shardgroup.checkpoints c USING (stream_id, shard) WHERE l.completed_at IS NULL`).Scan(&s)
	return s, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// growthTable is the results in Markdown.
func growthTable(all []grown) string {
	var b strings.Builder
	b.WriteString("| shards | drivers | points/s | lag p95, s | CPU a point, µs | " + strings.Join(growthParts(), " | ") + " | memory, MB |\n")
	b.WriteString("|--:|--:|--:|--:|--:|" + strings.Repeat("--:|", len(growthParts())) + "--:|\n")
	for _, g := range all {
		fmt.Fprintf(&b, "| %d | %d | %.0f | %.2f | **%.0f** |", g.shards, g.drivers, g.perSecond, g.lag, total(g.cpu))
		for _, part := range growthParts() {
			fmt.Fprintf(&b, " %.0f |", g.cpu[part])
		}
		fmt.Fprintf(&b, " %.0f |\n", total(g.mb))
	}
	return b.String()
}

// growthPlot draws the CPU a point takes as a bar for each measurement, in parts.
func growthPlot(all []grown) string {
	const width, left, right, rowHeight = 900, 190, 60, 34
	colors := []string{"#22577a", "#38a3a5", "#57cc99", "#c7e9a0", "#f4a259", "#bc4b51", "#8d99ae"}
	most := 1.0
	for _, g := range all {
		most = max(most, total(g.cpu))
	}

	var b strings.Builder
	height := rowHeight*len(all) + 60
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for i, g := range all {
		x, y := float64(left), rowHeight*i+10
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%d shards, %d drivers</text>`+"\n", left-10, y+17, g.shards, g.drivers)
		for n, part := range growthParts() {
			w := g.cpu[part] / most * (width - left - right)
			fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="24" fill="%s"/>`+"\n", x, y, w, colors[n])
			x += w
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%.0f</text>`+"\n", x+6, y+17, total(g.cpu))
	}

	x, y := left, rowHeight*len(all)+20
	for n, part := range growthParts() {
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n", x, y, colors[n], x+16, y+11, part)
		x += 92
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#555">µs of CPU a point</text>`+"\n</svg>\n", left, y+32)
	return b.String()
}
