package emulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"tandem/emulator/kinesis"
	"tandem/emulator/sns"
	"tandem/emulator/sqs"
	"tandem/localstack"
)

// Config is what the emulator needs. Its zero value runs in memory with
// messaging.yaml's resources, without limits and perfectly ordered; Default is
// what AWS is allowed to do.
type Config struct {
	// DataDir is the folder of the journals and the streams' segments; empty keeps
	// everything in memory. One emulator at a time may use it.
	DataDir string
	// Fsync makes an acknowledged write survive the machine too, not only the
	// process.
	Fsync bool
	// Template is the CloudFormation template whose resources exist from the
	// start; nil is localstack.Messaging. Parameters override its defaults.
	Template   []byte
	Parameters map[string]string
	// Limits turns AWS's throughput limits on.
	Limits bool
	// Reorder is how often (0 to 1) a standard queue hands out another message
	// than its oldest; Duplicate is how often a deleted message of a standard
	// queue is delivered once more. Seed makes both repeatable.
	Reorder, Duplicate float64
	Seed               uint64
	// StreamBytesCap bounds what all streams together keep, whatever their
	// retention; 0 is no bound. Whole segments go, the oldest first.
	StreamBytesCap int64
	// IteratorLife is how long a shard iterator can be used; 0 is 5 minutes, as
	// on AWS.
	IteratorLife time.Duration
	// MaxInFlight is how many messages of a queue may be in flight where Limits
	// is on; 0 is 120,000, as on AWS.
	MaxInFlight int
	// MaxConnections is how many connections may be open; a client beyond it waits
	// to be accepted. 0 is 10,000.
	MaxConnections int
	// Faults turns /_aws/faults on: failures on purpose.
	Faults bool
	// KnownHost reports whether a request is asked under a name that is this
	// server's; nil takes any. A page of another's whose name leads to this machine
	// (DNS rebinding) is told by it.
	KnownHost func(*http.Request) bool
}

// Default is the demo's configuration: limits on, a little disorder.
func Default() Config {
	return Config{Limits: true, Reorder: 0.02, Duplicate: 0.0005, Seed: 1, StreamBytesCap: 2 << 30, MaxConnections: maxConnections}
}

// Run serves on listener, which it closes, until ctx ends. Long polls end with
// it, so that it drains at once. It returns nil after a clean end.
func Run(ctx context.Context, listener net.Listener, log *slog.Logger, cfg Config) error {
	start := time.Now()
	e, err := open(log, cfg)
	if err != nil {
		return errors.Join(fmt.Errorf("emulator: %w", err), listener.Close())
	}

	log.Info("ready", "opened_in_ms", time.Since(start).Milliseconds())
	return errors.Join(e.serve(ctx, listener), e.close())
}

type emulator struct {
	log     *slog.Logger
	queues  *sqs.Service
	streams *kinesis.Service
	topics  *sns.Service
	faults  bool
	known   func(*http.Request) bool
	lock    *os.File
	// callWithin is the time limit of an ordinary call: to read it, and to answer it.
	callWithin time.Duration
	most       int // connections
}

func (c Config) check() error {
	switch {
	case c.Reorder < 0 || c.Reorder > 1 || c.Duplicate < 0 || c.Duplicate > 1:
		return fmt.Errorf("reorder and duplicate are shares from 0 to 1, not %g and %g", c.Reorder, c.Duplicate)
	case c.StreamBytesCap < 0 || c.IteratorLife < 0 || c.MaxInFlight < 0 || c.MaxConnections < 0:
		return errors.New("the streams' cap, an iterator's life, connections and what may be in flight are not below 0")
	}
	return nil
}

func open(log *slog.Logger, cfg Config) (*emulator, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}

	if cfg.Template == nil {
		cfg.Template = localstack.Messaging
	}
	resources, err := readTemplate(cfg.Template, cfg.Parameters)
	if err != nil {
		return nil, err
	}

	// From here on, what is open is closed again after an error.
	e := &emulator{log: log, faults: cfg.Faults, known: cfg.KnownHost, callWithin: time.Minute, most: cmp.Or(cfg.MaxConnections, maxConnections)}
	if cfg.DataDir != "" {
		if e.lock, err = lockDir(cfg.DataDir); err != nil {
			return nil, err
		}
	}

	e.queues, err = sqs.Open(sqs.Options{
		Path: under(cfg.DataDir, "queues.journal"), Fsync: cfg.Fsync, Log: log,
		Reorder: cfg.Reorder, Duplicate: cfg.Duplicate, Seed: cfg.Seed, Limits: cfg.Limits,
		MaxInFlight: cfg.MaxInFlight,
	})
	if err != nil {
		return nil, errors.Join(err, e.close())
	}

	e.streams, err = kinesis.Open(kinesis.Options{
		Dir: under(cfg.DataDir, "streams"), Fsync: cfg.Fsync, Log: log, Limits: cfg.Limits, BytesCap: cfg.StreamBytesCap,
		IteratorLife: cfg.IteratorLife,
	})
	if err != nil {
		return nil, errors.Join(err, e.close())
	}

	e.topics, err = sns.Open(sns.Options{Path: under(cfg.DataDir, "topics.json"), Fsync: cfg.Fsync, Log: log, Deliver: e.queues.Deliver})
	if err != nil {
		return nil, errors.Join(err, e.close())
	}

	if err := e.provision(resources); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func under(dir, name string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, name)
}

func (e *emulator) close() error {
	var errs []error
	if e.queues != nil {
		errs = append(errs, e.queues.Close())
	}
	if e.streams != nil {
		errs = append(errs, e.streams.Close())
	}

	// Last: another emulator must not open what this one still writes.
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}

// lockDir locks the data folder. The lock ends with the process, however it ends,
// so that nothing stale is left behind.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}

	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}

	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another emulator works in %s: end it, or name another folder", dir), f.Close())
	}
	return f, nil
}
