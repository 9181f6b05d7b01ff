package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/lifecycle"
)

// services has a field for each subcommand that runs until told to stop.
type services struct {
	Gateway      gatewayCmd      `cmd:"" group:"services" help:"The one origin: web app, sessions, reverse proxy."`
	Booking      bookingCmd      `cmd:"" group:"services" help:"Riders' and drivers' API for rides and offers; relay; sweeper."`
	Location     locationCmd     `cmd:"" group:"services" help:"Drivers' points to the stream; 202 is durable."`
	Dispatch     dispatchCmd     `cmd:"" group:"services" help:"Ride request to accepted driver: a worker on the queue."`
	Notification notificationCmd `cmd:"" group:"services" help:"Ride event to inbox and SMS, once for each channel."`
	Nearby       nearbyCmd       `cmd:"" group:"services" help:"Reader: where drivers are now, for dispatch."`
	Mapfeed      mapfeedCmd      `cmd:"" group:"services" help:"Reader: moving cars to browsers, by WebSocket."`
	History      historyCmd      `cmd:"" group:"services" help:"Reader: every point, kept."`
	Heatmap      heatmapCmd      `cmd:"" group:"services" help:"Reader: how busy each part of the city is."`
	Console      consoleCmd      `cmd:"" group:"services" help:"Operations API: queue, stream, processes."`
	Emulator     emulatorCmd     `cmd:"" group:"services" help:"SQS, Kinesis and SNS on this machine, for any SDK."`
	Simulator    simulatorCmd    `cmd:"" group:"services" help:"Drivers and riders who use Tandem over HTTP."`
}

// serving is how every service is served.
type serving struct {
	Addr     string `default:"127.0.0.1:0" help:"Address to listen on."`
	ListenFD int    `name:"listen-fd" hidden:"" help:"Take this inherited file descriptor as the listener instead."`
	LogLevel string `default:"info" help:"debug, info, warn or error."`
}

// serve opens the listener and runs a service on it.
func (s serving) serve(ctx context.Context, name string, run func(context.Context, lifecycle.Env) error) error {
	log, err := lifecycle.Logger(os.Stderr, name, s.LogLevel)
	if err != nil {
		return err
	}
	l, err := s.listen()
	if err != nil {
		return err
	}
	log.Info("listening", "addr", l.Addr().String())
	err = run(ctx, lifecycle.Env{Listener: l, Log: log, Metrics: prometheus.NewRegistry()})
	if err != nil {
		log.Error("ended", "err", err)
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
	f := os.NewFile(uintptr(s.ListenFD), "listener")
	l, err := net.FileListener(f)
	if err := errors.Join(err, f.Close()); err != nil { // FileListener made a copy
		return nil, fmt.Errorf("--listen-fd %d: %w", s.ListenFD, err)
	}
	return l, nil
}

type database struct {
	DatabaseURL string `required:"" help:"Postgres: postgres://user:password@host:5432/name."`
}

// messaging is where SQS, Kinesis and SNS are.
type messaging struct {
	Backend     string `default:"emulator" enum:"emulator,localstack,aws" help:"emulator, localstack or aws: which AWS this is."`
	AWSEndpoint string `name:"aws-endpoint" help:"Base URL of the emulator or LocalStack; AWS needs none."`
	AWSRegion   string `name:"aws-region" help:"AWS region; empty is the SDK's default."`
}

// Validate is kong's: it runs before the command does.
func (m messaging) Validate() error {
	if m.Backend != profile.AWS && m.AWSEndpoint == "" {
		return fmt.Errorf("--aws-endpoint is needed with the backend %s; for AWS itself name --backend=aws", m.Backend)
	}
	return nil
}

func (m messaging) aws() awsclient.Config {
	return awsclient.Config{Endpoint: m.AWSEndpoint, Region: m.AWSRegion, CredentialChain: m.Backend == profile.AWS}
}

func (m messaging) backend() (profile.Backend, error) { return profile.BackendByName(m.Backend) }

type signing struct {
	SigningKey string `required:"" help:"The deployment's key for tokens, base64, at least 32 bytes."`
}

func (s signing) signer() (*auth.Signer, error) {
	key, err := base64.StdEncoding.DecodeString(s.SigningKey)
	if err != nil {
		return nil, errors.New("the signing key is not base64; make one with: openssl rand -base64 32")
	}
	return auth.NewSigner(key)
}

type timing struct {
	Profile string `default:"default" enum:"default,fast" help:"Time-outs: default, or fast for tests."`
}

// keys gives the signer and the profile: what nearly every service takes.
func (s signing) keys(t timing) (*auth.Signer, profile.Profile, error) {
	p, err := profile.ByName(t.Profile)
	if err != nil {
		return nil, p, err
	}
	k, err := s.signer()
	return k, p, err
}
