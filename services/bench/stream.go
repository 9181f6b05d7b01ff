package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/test/testenv"
)

func streamRows() []row {
	return slices.Concat(putRows(), shardRows(), readRows(), fanOutRows(), storeRows(), mapRows())
}

// runStream measures the stream's rows.
func runStream(ctx context.Context, runs int, only, docs string) error {
	rows, err := containing(only, streamRows())
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tandem-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := buildBenchmarks(ctx, dir); err != nil {
		return err
	}

	c, stop, err := start(ctx, "unlimited")
	if err != nil {
		return err
	}
	defer func() { _ = stop() }()
	limited, stopLimited, err := start(ctx, "limited")
	if err != nil {
		return err
	}
	defer func() { _ = stopLimited() }()
	db, stopDatabase, err := startDatabase(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = stopDatabase() }()
	if err := postgres.Migrate(ctx, db.url, postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()}); err != nil {
		return err
	}

	c.db, c.limited, c.benchmarks = db, limited.streams, dir
	return report(ctx, c, "stream", rows, runs, only, docs)
}

// root is the module's folder, as seen from here.
const root = "../.."

// withBenchmarks are the packages that have benchmarks of their own. What they measure
// needs what they do not export.
var withBenchmarks = []string{"location", "domain/event", "history", "heatmap", "mapfeed"}

// buildBenchmarks builds the benchmarks and harlow once for all runs.
func buildBenchmarks(ctx context.Context, dir string) error {
	args := []string{"test", "-c", "-o", dir + "/"}
	for _, p := range withBenchmarks {
		args = append(args, "./services/"+p)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	cmd = exec.CommandContext(ctx, "go", "build", "-o", dir+"/", "./harlow")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// bench is a benchmark of a package.
type bench struct {
	pkg, name string
	times     string // how often it does its work; empty: as long as go test finds right
}

// rate is a subject that runs the benchmark, and is what it reports in that unit; of
// ns/op, how many operations that are a second.
func (b bench) rate(name, unit string) subject {
	return subject{name, func(ctx context.Context, c clients) (float64, error) {
		out, err := b.run(ctx, c)
		if err != nil {
			return 0, err
		}
		v, err := metric(out, unit)
		if err == nil && unit == "ns/op" {
			v = 1e9 / v
		}
		return v, err
	}}
}

// once returns rates of one run, which measures both sides of a row.
func (b bench) once() func(name, unit string) subject {
	var once sync.Once
	var out string
	var err error
	return func(name, unit string) subject {
		return subject{name, func(ctx context.Context, c clients) (float64, error) {
			once.Do(func() { out, err = b.run(ctx, c) })
			if err != nil {
				return 0, err
			}
			return metric(out, unit)
		}}
	}
}

// run returns what the benchmark prints.
func (b bench) run(ctx context.Context, c clients) (string, error) {
	// The parts of a name are matched one by one.
	pattern := "^" + strings.ReplaceAll(b.name, "/", "$/^") + "$"
	args := []string{"-test.run=^$", "-test.bench=" + pattern}
	if b.times != "" {
		args = append(args, "-test.benchtime="+b.times+"x")
	}

	cmd := exec.CommandContext(ctx, filepath.Join(c.benchmarks, filepath.Base(b.pkg)+".test"), args...)
	cmd.Dir = filepath.Join(root, "services", b.pkg) // where go test runs it, beside its testdata
	cmd.Env = append(os.Environ(), "LOCATION_BENCH_AWS="+aws.ToString(c.aws.BaseEndpoint), testenv.DatabaseURLVar+"="+c.db.url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s of %s: %w\n%s", b.name, b.pkg, err, out)
	}
	return string(out), nil
}

// metric returns the value that stands before the unit in what a benchmark printed.
func metric(out, unit string) (float64, error) {
	words := strings.Fields(out)
	i := slices.Index(words, unit)
	if i < 1 {
		return 0, errors.New("no " + unit + " in\n" + out)
	}
	return strconv.ParseFloat(words[i-1], 64)
}

// fixed is a peer that is a number: a limit, or a promise.
func fixed(name string, v float64) subject {
	return subject{name, func(context.Context, clients) (float64, error) { return v, nil }}
}

// putRows are what location does for a point, and what a reader does first with it.
func putRows() []row {
	way := func(size int, way string) bench {
		return bench{"location", fmt.Sprintf("BenchmarkPoints/%d/%s", size, way), "1"}
	}
	batches := func(size int) string { return fmt.Sprintf("location, batches of %d", size) }
	points := func(size int, aim float64) row {
		return row{
			name: "points to a durable 202", unit: "points/s", aim: aim,
			ours: way(size, "durable").rate(batches(size), "points/s"), peer: way(size, "one-by-one").rate("a PutRecord a point", "points/s"),
		}
	}
	cpu := func(size int, peer, name string, aim float64) row {
		return row{
			name: "points to a durable 202", unit: "points/CPU-s", aim: aim,
			ours: way(size, "durable").rate(batches(size), "points/cpu-s"), peer: way(size, peer).rate(name, "points/cpu-s"),
		}
	}
	return []row{
		points(100, 12), points(10, 8), points(1, 2),
		{
			// The most that the machine lets the first of them reach.
			name: "points to a 202 that is not durable", unit: "points/s",
			ours: way(100, "scanned").rate("decode, validate, 202, batches of 100", "points/s"), peer: way(100, "one-by-one").rate("a PutRecord a point", "points/s"),
		},
		cpu(100, "unmarshalled", "json.Unmarshal, validate, 202", 1/2.5), cpu(10, "unmarshalled", "json.Unmarshal, validate, 202", 0),
		cpu(100, "scanned", "decode as it does, validate, 202", 0),
		{
			name: "decode a point", unit: "points/s", aim: 3,
			ours: bench{"domain/event", "BenchmarkDecodePoint/here", ""}.rate("event.DecodePoint", "ns/op"),
			peer: bench{"domain/event", "BenchmarkDecodePoint/encoding/json", ""}.rate("encoding/json", "ns/op"),
		},
		{
			name: "a point on the stream, 5,000 drivers", unit: "bytes", aim: 1, less: true, once: true,
			ours: bench{"location", "BenchmarkBytes", "1"}.rate("location", "bytes/point"), peer: fixed("the aim", 150),
		},
	}
}

// storeRows are what the readers write. A benchmark makes a database of its own.
func storeRows() []row {
	history := func(way string) bench { return bench{"history", "BenchmarkApply/" + way, "1"} }
	heatmap := func(name string) bench { return bench{"heatmap", name, "25"} }
	return []row{
		{
			name: "store points", unit: "rows/s", aim: 2,
			ours: history("history").rate("history", "rows/s"), peer: history("upsert").rate("an upsert of arrays", "rows/s"),
		},
		{
			name: "store points", unit: "rows/s", aim: 0.33,
			ours: history("history").rate("history", "rows/s"), peer: history("copy").rate("COPY, no index", "rows/s"),
		},
		{
			name: "a stored point", unit: "bytes", aim: 1, less: true, once: true,
			ours: history("history").rate("history", "bytes/row"), peer: fixed("the aim", 120),
		},
		{
			name: "count points", unit: "points/s", aim: 2.5,
			ours: heatmap("BenchmarkApply/all").rate("heatmap", "points/s"), peer: heatmap("BenchmarkSQL/same").rate("SQL, the same guarantees", "points/s"),
		},
		{
			name: "count points", unit: "points/s", aim: 1,
			ours: heatmap("BenchmarkApply/all").rate("heatmap", "points/s"), peer: heatmap("BenchmarkSQL/counts").rate("GROUP BY, counts only", "points/s"),
		},
	}
}

// mapRows are what clients of the map see. Each benchmark runs for half a minute.
func mapRows() []row {
	fanOut, stalled := bench{"mapfeed", "BenchmarkFanOut", "1"}.once(), bench{"mapfeed", "BenchmarkStalledClients", "1"}.once()
	return []row{
		{
			name: "updates in view, 200 clients of a tenth each", unit: "updates/CPU-s", aim: 2, once: true,
			ours: fanOut("mapfeed", "mapfeed-updates/cpu-s"), peer: fanOut("a hub of JSON", "hub-updates/cpu-s"),
		},
		{
			name: "p99 age of an update, 1,000 clients", unit: "ms", aim: 1.2, less: true, once: true,
			ours: stalled("50 more that never read", "p99-ms-beside"), peer: stalled("no others", "p99-ms-alone"),
		},
	}
}
