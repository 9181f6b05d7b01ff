// Command bench compares the emulator with a stub that only decodes and answers;
// the difference is the price of keeping what was acknowledged. With -queue it compares
// the packages of internal/queue with what else does their work, and with -stream those
// of internal/stream and the services on them. Each server is a
// process of its own. The same SDK clients call both in turn, in one run, so that
// the ratios mean something on any machine.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"tandem/emulator"
)

func main() {
	d := flag.Duration("for", 3*time.Second, "how long each load runs in a round")
	rounds := flag.Int("rounds", 0, "rounds, of which the median counts (default 3; with -queue 5)")
	queue := flag.Bool("queue", false, "compare the queue's packages with their peers instead")
	stream := flag.Bool("stream", false, "compare the stream's packages and readers with their peers instead")
	latency := flag.Bool("latency", false, "measure how long rides wait for an offer, on a demo of its own, instead")
	growth := flag.Bool("growth", false, "measure what a point costs at more and more shards and drivers, on demos of their own, instead")
	binary := flag.String("tandem", "../../bin/tandem", "with -latency and -growth: the program whose demo is measured")
	docs := flag.String("docs", "../../docs", "with -queue, -stream, -latency and -growth: the folder of benchmarks.md, which gets the numbers; empty: none does")
	only := flag.String("only", "", "with -queue and -stream: measure just the rows that contain this, such as relay, and write nothing")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	var err error
	switch flag.Arg(0) {
	case "stub", "unlimited", "limited": // a child
		err = serve(ctx, flag.Arg(0), flag.Arg(1))
	case "":
		switch {
		case trues(*queue, *stream, *latency, *growth) > 1:
			err = errors.New("-queue, -stream, -latency and -growth are measurements of their own: choose one")
		case *queue:
			err = runQueue(ctx, cmp.Or(*rounds, 5), *only, *docs)
		case *stream:
			err = runStream(ctx, cmp.Or(*rounds, 3), *only, *docs)
		case *growth:
			err = runGrowth(ctx, *binary, *docs)
		case *latency:
			err = runLatency(ctx, *binary, cmp.Or(*rounds, 3), *docs)
		default:
			err = run(ctx, *d, cmp.Or(*rounds, 3))
		}
	default:
		err = fmt.Errorf("bench takes no %q", flag.Arg(0))
	}

	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func trues(flags ...bool) (n int) {
	for _, f := range flags {
		if f {
			n++
		}
	}
	return n
}

// serve is a child: it prints its address and serves until its parent closes
// its standard input. An emulator keeps its data in dir; empty: in a folder of its own,
// which it deletes.
func serve(ctx context.Context, kind, dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())

	ctx, cancel := context.WithCancel(ctx)
	// The pipe is closed also when the parent is killed, so no child outlives it.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()

	if kind == "stub" {
		go func() { <-ctx.Done(); _ = l.Close() }()
		if err := serveStub(l); ctx.Err() == nil {
			return err
		}
		return nil
	}

	if dir == "" {
		if dir, err = os.MkdirTemp("", "tandem-bench-"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
	}
	return emulator.Run(ctx, l, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), emulator.Config{DataDir: dir, Limits: kind == "limited"})
}

// start runs a child and connects to it. stop ends it.
func start(ctx context.Context, kind string, dir ...string) (c clients, stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return c, nil, err
	}

	cmd := exec.CommandContext(ctx, self, append([]string{kind}, dir...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return c, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return c, nil, err
	}

	if err := cmd.Start(); err != nil {
		return c, nil, err
	}
	stop = func() error { return errors.Join(in.Close(), cmd.Wait()) }

	addr, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		c, err = connect(ctx, "http://"+strings.TrimSpace(addr))
	}
	if err != nil {
		return c, nil, errors.Join(fmt.Errorf("start the %s server: %w", kind, err), stop())
	}
	return c, stop, nil
}

func run(ctx context.Context, d time.Duration, rounds int) error {
	peer, stopPeer, err := start(ctx, "stub")
	if err != nil {
		return err
	}
	defer func() { _ = stopPeer() }()

	emu, stopEmu, err := start(ctx, "unlimited")
	if err != nil {
		return err
	}
	defer func() { _ = stopEmu() }()

	fmt.Printf("%d rounds of %s, %d calls at once; medians\n", rounds, d, callers)
	fmt.Printf("%-38s %12s %12s %7s %7s\n", "limits off", "stub", "emulator", "ratio", "asked")

	missed := 0
	for _, l := range loads() {
		ratio, err := compare(ctx, l, peer, emu, d, rounds)
		if err != nil {
			return err
		}
		if ratio < l.least {
			missed++
		}
	}

	limited, stopLimited, err := start(ctx, "limited")
	if err != nil {
		return err
	}
	defer func() { _ = stopLimited() }()

	got, err := points(ctx, limited, 3*d)
	if err != nil {
		return err
	}

	fmt.Printf("\nlimits on, %d shards, aggregated: %.0f points/s of %d asked, all read back\n", shards, got, leastPoints)
	if got < leastPoints {
		missed++
	}
	if missed > 0 {
		return fmt.Errorf("%d targets were missed", missed)
	}
	return nil
}

// compare runs l against both servers and returns the emulator's rate over the
// stub's, the median of all rounds.
func compare(ctx context.Context, l load, peer, emu clients, d time.Duration, rounds int) (ratio float64, err error) {
	var ofStub, ofEmulator, ratios []float64

	// The two are called in turn, so that a machine that gets slower slows both.
	for range rounds {
		a, err := l.run(ctx, peer, d)
		if err != nil {
			return 0, fmt.Errorf("%s of the stub: %w", l.name, err)
		}
		b, err := l.run(ctx, emu, d)
		if err != nil {
			return 0, fmt.Errorf("%s of the emulator: %w", l.name, err)
		}
		ofStub, ofEmulator, ratios = append(ofStub, a), append(ofEmulator, b), append(ratios, b/a)
	}

	ratio = median(ratios)
	fmt.Printf("%-38s %12.0f %12.0f %7.2f %7.2f  %s\n", l.name, median(ofStub), median(ofEmulator), ratio, l.least, l.unit)
	return ratio, nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
