package demo

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/services/demo/pgserver"
	"tandem/services/demo/supervisor"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/httpclient"
)

// startWithin bounds one step of the start. A first start downloads.
const startWithin = 3 * time.Minute

// start starts everything, stage by stage.
func (d *demo) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, errors.New("it took too long"))
	defer cancel()

	if err := d.keys(); err != nil {
		return err
	}

	// The sockets are open before any process runs: a service may call one that is
	// still starting, and then waits in the socket's backlog.
	d.rows = table(d.Options, d.folder.path("emulator"), d.ledger(), d.simReport())
	listeners, err := d.listen()
	if err != nil {
		return err
	}

	d.settings["WORKERS_FILE"] = d.workersFile()
	if err := d.tellWorkers(); err != nil {
		return err
	}

	d.connect()
	d.run = newRunState(d)

	g, gctx := errgroup.WithContext(ctx)
	var databaseURL string
	g.Go(func() (err error) {
		databaseURL, err = d.startPostgres(gctx)
		return err
	})
	g.Go(func() error { return d.startMessaging(gctx, listeners) })
	if err := g.Wait(); err != nil {
		return err
	}

	// No service starts before the schemas are there.
	d.settings["DATABASE_URL"] = databaseURL
	if err := d.Migrate(ctx, databaseURL); err != nil {
		return err
	}
	if err := d.run.write(); err != nil {
		return err
	}

	for _, stage := range []int{stageServices, stageClients} {
		if err := d.startStage(ctx, stage, listeners); err != nil {
			return err
		}
	}

	return d.awaitDrivers(ctx)
}

func (d *demo) keys() error {
	signing, err := d.folder.key("signing-key")
	if err != nil {
		return err
	}
	operator, err := d.folder.key("operator-key")
	if err != nil {
		return err
	}

	raw, err := base64.StdEncoding.DecodeString(signing)
	if err != nil {
		return fmt.Errorf("the signing key in %s is damaged: start afresh with --fresh", d.folder.dir)
	}
	if d.signer, err = auth.NewSigner(raw); err != nil {
		return err
	}

	d.settings["SIGNING_KEY"], d.settings["OPERATOR_KEY"], d.settings["PROFILE"] = signing, operator, d.Profile
	d.settings["BACKEND"], d.settings["AWS_ENDPOINT"], d.settings["AWS_REGION"] = d.Backend, d.AWSEndpoint, d.AWSRegion
	return nil
}

// listen opens every process's socket, once. Only the gateway's address is chosen
// by a person; the others take any free port.
func (d *demo) listen() (map[string]*net.TCPListener, error) {
	listeners := map[string]*net.TCPListener{}
	var peers []string

	for _, r := range d.rows {
		addr := "127.0.0.1:0"
		if r.role == "gateway" {
			addr = d.Addr
		}

		l, err := net.Listen("tcp", addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("%s is taken by another program: end that, or choose another port, such as make demo ARGS=\"--addr 127.0.0.1:8081\"", d.Addr)
		}
		if err != nil {
			return nil, fmt.Errorf("listen for %s: %w", r.name, err)
		}

		if r.role == "gateway" && !l.Addr().(*net.TCPAddr).IP.IsLoopback() && !d.DemoLoginOffLoopback {
			return nil, errors.Join(fmt.Errorf("on %s, anybody on the network could become an operator of this demo by one click: choose an address on 127.0.0.1, or agree by --demo-login-off-loopback", d.Addr), l.Close())
		}
		listeners[r.name] = l.(*net.TCPListener)
		if r.role == "dispatch" {
			d.workers.add(r.name, "http://"+l.Addr().String(), true)
		}
		d.addrs[r.name] = "http://" + l.Addr().String()
		setting := strings.ToUpper(r.role) + "_URL"
		if r.role == "emulator" {
			setting = "AWS_ENDPOINT"
		}
		d.settings[setting] = d.addrs[r.name]
		// The console asks every service of Tandem. The emulator and the simulator are
		// none, it need not ask itself, and the workers come and go (see workers).
		if r.role != "emulator" && r.role != "console" && r.role != "simulator" && r.role != "dispatch" {
			peers = append(peers, r.name+"="+d.addrs[r.name])
		}
	}

	d.settings["PEERS"] = strings.Join(peers, ",")
	return listeners, nil
}

// connect creates the clients with which the demo asks its processes, once: each
// has connections of its own, which a client for every question would leave open.
func (d *demo) connect() {
	d.clients = map[string]*httpclient.Client{}
	for name, addr := range d.addrs {
		d.clients[name] = httpclient.ForService(addr, d.signer, "demo")
	}
}

// startPostgres returns the address of the database: the one that was named, or
// that of a private server.
func (d *demo) startPostgres(ctx context.Context) (url string, err error) {
	began := time.Now()

	if d.DatabaseURL != "" {
		d.screen.part("postgres", "yours")
		return d.DatabaseURL, nil
	}

	server, err := pgserver.Prepare(ctx, pgserver.Options{
		Dir: d.folder.path("postgres"), Cache: filepath.Dir(d.folder.dir), Say: func(text string) { d.screen.line(" " + text) },
	})
	if err != nil {
		return "", err
	}

	spec := server.Spec()
	spec.Stage = stageData
	if err := d.sup.Add(spec); err != nil {
		return "", err
	}
	if err := d.sup.WaitReady(ctx, spec.Name); err != nil {
		return "", err
	}
	d.screen.part("postgres", fmt.Sprintf("%.1f s", time.Since(began).Seconds()))
	return server.URL(), nil
}

// startMessaging starts the emulator, or makes sure that the queues and the
// stream exist on the AWS that was named.
func (d *demo) startMessaging(ctx context.Context, listeners map[string]*net.TCPListener) error {
	if d.Backend == profile.Emulator {
		return d.startStage(ctx, stageData, listeners)
	}

	if err := d.Deploy(ctx); err != nil {
		return err
	}
	d.screen.part(d.Backend, d.AWSEndpoint)
	return nil
}

// startStage starts the rows of a stage side by side and waits for them.
func (d *demo) startStage(ctx context.Context, stage int, listeners map[string]*net.TCPListener) error {
	var names []string
	for _, r := range d.rows {
		if r.stage != stage {
			continue
		}

		if err := d.startRow(r, listeners[r.name]); err != nil {
			return err
		}
		names = append(names, r.name)
	}

	waiting, done := context.WithCancel(ctx)
	go d.tellWaiting(waiting, names)
	err := d.sup.WaitReady(ctx, names...)
	done()
	if err != nil {
		return err
	}

	switch stage {
	case stageData:
		d.screen.part("emulator", "")
	case stageServices:
		d.screen.part(fmt.Sprintf("%d services", len(names)), "")
	}
	return nil
}

// startRow starts one process on its socket.
func (d *demo) startRow(r row, l *net.TCPListener) error {
	env, err := r.environ(append(systemEnviron(d.Environ, d.Backend), d.traceEnviron()...), d.settings)
	if err != nil {
		return err
	}

	url := "http://" + l.Addr().String()
	return d.sup.Add(supervisor.Spec{
		Name: r.name, Stage: r.stage, Path: d.Self, Args: append([]string{r.role}, r.args...), Env: env,
		Listener: l, Ready: answers(url + "/readyz"), Answers: anyAnswer(url + "/healthz"),
	})
}

func (d *demo) ledger() string    { return d.folder.path("ledger.jsonl") }
func (d *demo) simReport() string { return d.folder.path("simulator.json") }
