package demo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/services/demo/pgserver"
	"tandem/services/demo/supervisor"
	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
)

// startWithin bounds one step of the start. A first start downloads.
const startWithin = 3 * time.Minute

// start brings everything up, part by part.
func (d *demo) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, errors.New("it took too long"))
	defer cancel()
	if err := d.keys(); err != nil {
		return err
	}
	d.rows = table(d.Options, d.folder.path("emulator"), d.ledger(), d.simReport())
	listeners, err := d.listen()
	if err != nil {
		return err
	}
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

// listen opens every process's socket, once. The gateway's is the one that a
// person knows; the others are wherever there is room.
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
		listeners[r.name] = l.(*net.TCPListener)
		d.addrs[r.name] = "http://" + l.Addr().String()
		setting := strings.ToUpper(r.role) + "_URL"
		if r.role == "emulator" {
			setting = "AWS_ENDPOINT"
		}
		d.settings[setting] = d.addrs[r.name]
		if r.role != "emulator" && r.role != "console" && r.role != "simulator" {
			peers = append(peers, r.name+"="+d.addrs[r.name])
		}
	}
	d.settings["PEERS"] = strings.Join(peers, ",")
	return listeners, nil
}

// startPostgres gives the address of the database: one that was named, or that
// of a private server.
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

// startMessaging starts the emulator, or sees to it that the queues and the
// stream are on the AWS that was named.
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
	base := systemEnviron(d.Environ, d.Backend)
	var names []string
	for _, r := range d.rows {
		if r.stage != stage {
			continue
		}
		env, err := r.environ(base, d.settings)
		if err != nil {
			return err
		}
		err = d.sup.Add(supervisor.Spec{
			Name: r.name, Stage: r.stage, Path: d.Self, Args: append([]string{r.role}, r.args...), Env: env,
			Listener: listeners[r.name], Ready: answers(d.addrs[r.name] + "/readyz"),
		})
		if err != nil {
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

// tellWaiting says what a start waits for that takes long, once for each reason,
// until ctx ends.
func (d *demo) tellWaiting(ctx context.Context, names []string) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	said := map[string]string{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, st := range d.sup.Status() {
			if slices.Contains(names, st.Name) && st.NotReady != said[st.Name] {
				if said[st.Name] = st.NotReady; st.NotReady == "" {
					continue
				}
				d.screen.line(fmt.Sprintf(" waiting for %s: %s", st.Name, st.NotReady))
			}
		}
	}
}

// answers says whether url gives 200; if not, the checks that fail say why.
func answers(url string) func(context.Context) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return notReady(resp)
		}
		return nil
	}
}

// notReady reads what /readyz says of the checks that fail.
func notReady(resp *http.Response) error {
	var body struct{ Checks map[string]string }
	_ = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&body) // what is no JSON names no check
	var why []string
	for _, name := range slices.Sorted(maps.Keys(body.Checks)) {
		if text := body.Checks[name]; text != "ok" {
			why = append(why, name+": "+text)
		}
	}
	if len(why) == 0 {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return errors.New(strings.Join(why, "; "))
}

// awaitDrivers waits until nearly all of the simulator's drivers are on the
// road; a few may be off duty.
func (d *demo) awaitDrivers(ctx context.Context) error {
	for {
		s, err := d.simulator(ctx)
		if err == nil && s.Phase != "warming" && s.OnRoad >= d.Drivers*8/10 {
			d.screen.part(fmt.Sprintf("%d drivers on the road", s.OnRoad), "")
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the simulator's drivers did not get on the road; its log is %s: %w", d.folder.path("logs", "simulator.log"), context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (d *demo) ledger() string    { return d.folder.path("ledger.jsonl") }
func (d *demo) simReport() string { return d.folder.path("simulator.json") }
