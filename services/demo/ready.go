package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// tellWaiting prints what a slow start waits for, once for each reason, until ctx
// ends.
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

// answers returns a readiness check: nil if url answers 200, else an error that
// names the failing checks.
func answers(url string) func(context.Context) error {
	return ask(url, func(resp *http.Response) error {
		if resp.StatusCode != http.StatusOK {
			return notReady(resp)
		}
		return nil
	})
}

// anyAnswer returns a sign of life: nil if url is answered, whatever the answer is.
func anyAnswer(url string) func(context.Context) error {
	return ask(url, func(*http.Response) error { return nil })
}

// ask returns a check that gets url and judges the answer.
func ask(url string, judge func(*http.Response) error) func(context.Context) error {
	// A kept connection would go to a process that has died meanwhile.
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
		return judge(resp)
	}
}

// notReady returns which checks fail, as the body of /readyz says.
func notReady(resp *http.Response) error {
	var body struct{ Checks map[string]string }
	_ = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&body) // a body that is not JSON names no check

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
			d.screen.part(fmt.Sprintf("%d of %d drivers on the road", s.OnRoad, d.Drivers), "")
			return nil
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("the simulator's drivers did not get on the road; its log is %s: %w", d.folder.path("logs", "simulator.log"), context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
