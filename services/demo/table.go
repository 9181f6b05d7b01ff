package demo

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tandem/services/domain/profile"
)

// The stages of start and stop.
const (
	stageData     = -1
	stageServices = 0
	stageClients  = 1
)

// drainWithin is how long rides may take to end once riders stop coming. The
// longest trip across the city takes 40 minutes at --speed 1.
const drainWithin = 5 * time.Minute

// perDriver is how many requests a driver may have under way: its stream, a batch of
// points, and what its rider asks. One address may have half of the connections.
const perDriver = 3

// row is one process of the demo; its role is its subcommand. It gets the settings
// that needs names and no others, so that a process that needs no database cannot
// reach it.
type row struct {
	name, role string
	stage      int
	needs      string
	args       []string
	extra      []string // settings of its own, NAME=value
}

// table returns the processes besides Postgres, in the order in which they start.
// Of the backends only the emulator is one of them.
func table(o Options, dataDir, ledger, simReport string) []row {
	var rows []row
	if o.Backend == profile.Emulator {
		rows = append(rows, row{name: "emulator", stage: stageData, extra: []string{"EMULATOR_DATA=" + dataDir, "FAULTS=" + strconv.FormatBool(o.Faults)}})
	}

	rows = append(rows, []row{
		{name: "booking", needs: "DATABASE_URL BACKEND AWS_ENDPOINT AWS_REGION SIGNING_KEY PROFILE NEARBY_URL"},
		{name: "notification", needs: "DATABASE_URL BACKEND AWS_ENDPOINT AWS_REGION SIGNING_KEY PROFILE BOOKING_URL"},
		{name: "location", needs: "BACKEND AWS_ENDPOINT AWS_REGION SIGNING_KEY PROFILE"},
		{name: "nearby", needs: "DATABASE_URL BACKEND AWS_ENDPOINT AWS_REGION SIGNING_KEY PROFILE"},
		{name: "mapfeed", needs: "DATABASE_URL BACKEND AWS_ENDPOINT AWS_REGION SIGNING_KEY PROFILE BOOKING_URL"},
		{name: "history", needs: "DATABASE_URL BACKEND AWS_ENDPOINT AWS_REGION SIGNING_KEY PROFILE BOOKING_URL"},
		{name: "heatmap", needs: "DATABASE_URL BACKEND AWS_ENDPOINT AWS_REGION SIGNING_KEY PROFILE"},
		{name: "compare", needs: "BACKEND AWS_ENDPOINT AWS_REGION SIGNING_KEY PROFILE"},
		{name: "console", needs: "DATABASE_URL BACKEND AWS_ENDPOINT AWS_REGION SIGNING_KEY BOOKING_URL PEERS WORKERS_FILE",
			extra: []string{"KILL_WORKERS=true"}}, // they are this demo's own, and are started again
		{name: "gateway", needs: "DATABASE_URL SIGNING_KEY OPERATOR_KEY BOOKING_URL LOCATION_URL MAPFEED_URL HISTORY_URL HEATMAP_URL NOTIFICATION_URL CONSOLE_URL COMPARE_URL",
			args: []string{"--demo-login"}, extra: []string{
				"ALLOW_HOST=" + strings.Join(o.AllowHost, ","), "DEMO_LOGIN_OFF_LOOPBACK=" + strconv.FormatBool(o.DemoLoginOffLoopback),
				"MAX_PER_ADDRESS=" + strconv.Itoa(1000+perDriver*o.Drivers), // they are all on this machine
			}},
		{name: "simulator", stage: stageClients, needs: "BACKEND SIGNING_KEY OPERATOR_KEY GATEWAY_URL", args: append([]string{
			"--drivers", strconv.Itoa(o.Drivers), "--riders", fmt.Sprint(o.Riders), "--speed", fmt.Sprint(o.Speed),
			"--seed", strconv.FormatUint(o.Seed, 10), "--for", o.For.String(), "--drain", drainWithin.String(), "--ledger", ledger, "--report", simReport,
		}, o.SimulatorArgs...)},
	}...)

	if o.Backend == profile.AWS {
		last := &rows[len(rows)-1]
		last.args = append(last.args, "--yes-this-costs-money") // the person agreed already: see demoCmd
	}

	for _, name := range o.With {
		rows = append(rows, row{name: name, needs: "DATABASE_URL BACKEND AWS_ENDPOINT AWS_REGION SIGNING_KEY PROFILE"})
	}

	for n := range o.Workers.Min {
		rows = append(rows, workerRow(n+1))
	}

	for i := range rows {
		rows[i] = rows[i].complete(o)
	}

	return rows
}

// workerRow is the nth dispatch worker.
func workerRow(n int) row {
	name := fmt.Sprintf("dispatch-%d", n)
	return row{name: name, role: "dispatch", needs: "DATABASE_URL BACKEND AWS_ENDPOINT AWS_REGION SIGNING_KEY PROFILE NEARBY_URL", extra: []string{"WORKER=" + name}}
}

// complete adds what every row has.
func (r row) complete(o Options) row {
	if r.role == "" {
		r.role = r.name
	}
	r.extra = append(r.extra, "MAX_CONNECTIONS="+strconv.Itoa(10_000+2*perDriver*o.Drivers))
	return r
}

// environ returns the process's whole environment: base, and the settings that
// its row names.
func (r row) environ(base []string, settings map[string]string) ([]string, error) {
	env := append([]string{}, base...)
	env = append(env, "TANDEM_LISTEN_FD=3")

	for _, name := range strings.Fields(r.needs) {

		v, ok := settings[name]
		if !ok {
			return nil, fmt.Errorf("demo: %s needs %s, which nothing provides", r.name, name)
		}
		env = append(env, "TANDEM_"+name+"="+v)
	}

	for _, e := range r.extra {
		env = append(env, "TANDEM_"+e)
	}
	return env, nil
}

// systemEnviron returns what a child gets of this process's environment: nothing
// of Tandem's or of Postgres', and AWS's variables only on the backend AWS.
func systemEnviron(environ []string, backend string) []string {
	keep := map[string]bool{"PATH": true, "HOME": true, "TMPDIR": true, "LANG": true, "SSL_CERT_FILE": true, "SSL_CERT_DIR": true, "GORACE": true, "GOCOVERDIR": true}

	// The demo's processes are many and small: collect early, so that together
	// they stay small. There is no memory limit: near one, a process with a thousand
	// drivers would do little but collect.
	out := []string{"GOGC=60", "TZ=UTC"}

	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if keep[name] || backend == profile.AWS && strings.HasPrefix(name, "AWS_") {
			out = append(out, e)
		}
	}
	return out
}
