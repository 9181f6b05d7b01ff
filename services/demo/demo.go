package demo

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"tandem/services/demo/runfile"
	"tandem/services/demo/supervisor"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
	"tandem/services/internal/lifecycle"
)

// stopWithin is how long the whole demo may take to end: when its clients have
// ended within a second, a service has all of its DrainTimeout (see stopStage).
const stopWithin = lifecycle.DrainTimeout*3/2 + time.Second

// Options of a demo.
type Options struct {
	Version   string
	Self      string   // the tandem binary
	Command   string   // how a person calls it, from where this process was started
	Environ   []string // our own environment
	Out       io.Writer
	Addr      string
	AllowHost []string // names of the gateway besides loopback's
	// DemoLoginOffLoopback agrees that whoever reaches Addr becomes an operator by
	// one click, where Addr is not on loopback.
	DemoLoginOffLoopback bool
	Drivers              int
	Riders               float64
	SimulatorArgs        []string // besides those that the demo sets
	Speed                float64
	Seed                 uint64
	Workers              Range // dispatch workers; one number: it is fixed
	For                  time.Duration
	Report               string
	Fresh                bool
	HungAfter            time.Duration // see supervisor.Options
	Data                 string
	Profile              string
	DatabaseURL          string   // empty: a private Postgres
	Backend              string   // profile.Emulator is started; the others run already
	AWSEndpoint          string   // of LocalStack; empty with the emulator and AWS
	AWSRegion            string   // empty: the SDK's default
	Faults               bool     // the emulator accepts rules for failing calls
	With                 []string // readers of points besides those that Tandem needs
	OTLPEndpoint         string   // where spans go; empty: nowhere
	TraceRatio           float64

	// Migrate applies all schemas.
	Migrate func(ctx context.Context, databaseURL string) error
	// Deploy creates the queues and the stream if they are missing. The emulator
	// creates its own.
	Deploy func(ctx context.Context) error
	// Audit proves the guarantees on the running demo.
	Audit func(ctx context.Context, r runfile.Run) (Audit, error)
}

// Range is a least and a most number.
type Range struct{ Min, Max int }

// Audit is what an audit found.
type Audit struct {
	OK     bool   `json:"ok"`
	Checks any    `json:"checks"` // as the audit prints them
	Counts Counts `json:"-"`
}

// demo is one run.
type demo struct {
	Options
	folder   *folder
	screen   *screen
	log      *slog.Logger
	logFile  *supervisor.LogFile
	signer   *auth.Signer
	settings map[string]string // what rows may need, by name
	rows     []row
	addrs    map[string]string // process name -> base URL
	clients  map[string]*httpclient.Client
	sup      *supervisor.Supervisor
	run      *runState
	workers  workers
}

// Run runs the demo until ctx ends, or through Options.For. ok is the audit's
// verdict; without For there is no audit and ok is true.
func Run(ctx context.Context, o Options) (ok bool, err error) {
	d := &demo{Options: o, screen: newScreen(o.Out), settings: map[string]string{}, addrs: map[string]string{}}
	d.screen.title(o.Backend)

	if d.folder, err = openFolder(o.Data, o.Fresh); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, d.folder.close()) }()

	if err := d.openLog(); err != nil {
		return false, err
	}
	defer func() { _ = d.logFile.Close() }()

	d.sup = supervisor.New(supervisor.Options{Logs: d.folder.path("logs"), Log: d.log, OnChange: d.changed, HungAfter: o.HungAfter})
	// From here on every return ends the processes, also a failed start.
	defer d.stop()

	if err := d.start(ctx); err != nil {
		if ctx.Err() != nil {
			return true, nil // Ctrl-C while it starts
		}
		return false, err
	}

	d.screen.links(d.addrs["gateway"], d.commands())
	d.tellTraces(ctx)
	defer d.autoscale(ctx)()

	if o.For == 0 {
		d.watch(ctx, nil)
		return true, nil
	}
	return d.finish(ctx)
}

// openLog opens the demo's own log, which is kept across starts like the others.
func (d *demo) openLog() error {
	f, err := supervisor.OpenLog(d.folder.path("logs"), "demo")
	if err != nil {
		return err
	}

	d.logFile, d.log = f, slog.New(slog.NewJSONHandler(f, nil))
	d.log.Info("the demo starts", "version", d.Version, "pid", os.Getpid(), "backend", d.Backend, "drivers", d.Drivers)
	return nil
}

// stop ends every process, in order, within stopWithin.
func (d *demo) stop() {
	d.screen.line(" ending everything …")

	// The caller's context has ended already when the demo is stopped by Ctrl-C.
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	d.sup.Stop(ctx)

	// Who retires a worker writes the run file at its end, and that is removed next.
	d.workers.retiring.Wait()
}
