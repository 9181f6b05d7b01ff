package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/services/internal/lifecycle"
	"tandem/services/internal/telemetry"
)

// services has a field for each subcommand that runs until told to stop.
type services struct {
	Gateway      gatewayCmd      `cmd:"" group:"services" help:"Serve browsers from one origin: the web app, sessions, a reverse proxy."`
	Booking      bookingCmd      `cmd:"" group:"services" help:"Serve the riders' and drivers' API for rides and offers; run the outbox relay and the sweeper."`
	Location     locationCmd     `cmd:"" group:"services" help:"Write drivers' points to the stream and answer 202 once they are durable."`
	Dispatch     dispatchCmd     `cmd:"" group:"services" help:"Work on the queue of ride requests until a driver has accepted each."`
	Notification notificationCmd `cmd:"" group:"services" help:"Work on the queue of ride events: each goes to the inbox and by SMS, once for each channel."`
	Nearby       nearbyCmd       `cmd:"" group:"services" help:"Read the stream to know where drivers are now; dispatch asks it."`
	Mapfeed      mapfeedCmd      `cmd:"" group:"services" help:"Read the stream and send moving cars to browsers by WebSocket."`
	History      historyCmd      `cmd:"" group:"services" help:"Read the stream and keep every point."`
	Heatmap      heatmapCmd      `cmd:"" group:"services" help:"Read the stream and count how busy each part of the city is."`
	Speeding     speedingCmd     `cmd:"" group:"services" help:"Read the stream and keep which drivers were faster than a limit: the reader that somebody adds."`
	Compare      compareCmd      `cmd:"" group:"services" help:"Serve the page Six maps: the same points on a queue and on a stream, while somebody looks. Run one process of it."`
	Console      consoleCmd      `cmd:"" group:"services" help:"Serve the operations API: queue, stream, processes."`
	Emulator     emulatorCmd     `cmd:"" group:"services" help:"Serve SQS, Kinesis and SNS on this machine, for AWS's SDKs."`
	Simulator    simulatorCmd    `cmd:"" group:"services" help:"Simulate drivers and riders who use Tandem over HTTP."`
}

// serving has the flags that every service takes.
type serving struct {
	Addr           string   `default:"127.0.0.1:0" help:"Address to listen on."`
	ListenFD       int      `name:"listen-fd" hidden:"" help:"Take this inherited file descriptor as the listener instead."`
	AllowHost      []string `placeholder:"NAME" help:"Names under which it may be asked, besides loopback's and its own address, such as tandem.example.com or 127.0.0.1:9090."`
	MaxConnections int      `default:"10000" help:"How many connections may be open; one address may have half of them."`
	LogLevel       string   `default:"info" help:"debug, info, warn or error."`
	tracing
}

// tracing has the flags of whoever sends spans.
type tracing struct {
	OTLPEndpoint string  `name:"otlp-endpoint" placeholder:"URL" help:"Send spans to this OpenTelemetry collector by OTLP over HTTP, such as http://127.0.0.1:4318; empty: send none."`
	TraceRatio   float64 `default:"1" help:"Share of the traces to record, 0 to 1. Of points, and of reads, fewer begin one: see docs/tracing.md."`
}

// serve opens the listener and runs a service on it until ctx ends.
func (s serving) serve(ctx context.Context, name string, run func(context.Context, lifecycle.Env) error) error {
	log, err := lifecycle.Logger(os.Stderr, name, s.LogLevel)
	if err != nil {
		return err
	}

	l, err := s.listen()
	if err != nil {
		return err
	}

	// The last spans are those of the drain: they are sent after it.
	traces, sendRest, err := telemetry.Start(ctx, telemetry.Options{Endpoint: s.OTLPEndpoint, Ratio: s.TraceRatio, Service: name, Version: version, Log: log})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer sendRest()

	log.Info("listening", "addr", l.Addr().String())

	err = run(ctx, lifecycle.Env{Listener: l, Hosts: s.AllowHost, MaxConnections: s.MaxConnections, Log: log, Metrics: prometheus.NewRegistry(), Traces: traces})
	if err != nil {
		log.Error("ended", "err", err)
		// The log has said why: main must not say it again.
		return exitCode(1)
	}
	log.Info("ended")
	return nil
}

func (s serving) listen() (net.Listener, error) {
	if s.ListenFD == 0 {
		l, err := net.Listen("tcp", s.Addr)
		if err != nil {
			return nil, fmt.Errorf("%w; name another address with --addr", err)
		}
		return l, nil
	}

	// The demo's supervisor opened the socket once and hands it to every process
	// that takes this place, so that the port stays.
	f := os.NewFile(uintptr(s.ListenFD), "listener")
	l, err := net.FileListener(f)
	if err := errors.Join(err, f.Close()); err != nil { // FileListener duplicates the descriptor
		return nil, fmt.Errorf("--listen-fd %d: %w", s.ListenFD, err)
	}
	return l, nil
}
