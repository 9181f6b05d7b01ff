package iam

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tandem/services/booking"
	"tandem/services/compare"
	"tandem/services/console"
	"tandem/services/dispatch"
	"tandem/services/domain/event"
	"tandem/services/domain/profile"
	"tandem/services/domain/ride"
	"tandem/services/gateway"
	"tandem/services/heatmap"
	"tandem/services/history"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/location"
	"tandem/services/mapfeed"
	"tandem/services/nearby"
	"tandem/services/notification"
	"tandem/services/simulator"
	"tandem/services/test/testenv"
	"tandem/services/tools/audit"
	"tandem/services/tools/deadletter"
	"tandem/services/tools/reader"
	"tandem/services/tools/replay"
	"tandem/services/tools/reshard"
)

// stage runs all of Tandem in this process.
type stage struct {
	t         *testing.T
	aws       awsclient.Config
	db        string
	pool      *pgxpool.Pool
	signer    *auth.Signer
	prof      profile.Profile
	listeners map[string]net.Listener
	calls     map[string]*recorder
}

func newStage(t *testing.T) *stage {
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)

	prof := profile.Fast()
	prof.Lease = profile.Default().Lease // with everything in one busy process, nobody must lose a lease

	s := &stage{t: t, aws: testenv.Emulator(t), signer: signer, prof: prof, listeners: map[string]net.Listener{}, calls: map[string]*recorder{}}
	s.db, s.pool = testenv.Database(t, append(ride.Schemas(), gateway.Schema(), notification.Schema(), history.Schema(), heatmap.Schema(), deadletter.Schema(),
		postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})...)
	return s
}

// url opens the listener of a process, so that others can be told of it before
// it runs.
func (s *stage) url(process string) string {
	if s.listeners[process] == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(s.t, err)
		s.listeners[process] = l
	}
	return "http://" + s.listeners[process].Addr().String()
}

// record returns a configuration of AWS whose calls count for that policy.
func (s *stage) record(policy string) awsclient.Config {
	if s.calls[policy] == nil {
		s.calls[policy] = &recorder{seen: map[call]bool{}}
	}
	return s.calls[policy].of(s.aws)
}

func (s *stage) run(process string, run func(context.Context, lifecycle.Env) error) {
	s.url(process)

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	env := lifecycle.Env{Listener: s.listeners[process], Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
	go func() { ended <- run(ctx, env) }()

	s.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			s.t.Logf("%s: %v", process, err)
		}
	})
}

func (s *stage) start() {
	emulator, err := profile.BackendByName(profile.Emulator)
	require.NoError(s.t, err)
	polls := emulator
	polls.FanOut = false

	nearbyURL, bookingURL := s.url("nearby"), s.url("booking")
	type service = func(context.Context, lifecycle.Env, awsclient.Config) error

	for name, run := range map[string]service{
		"booking": func(ctx context.Context, env lifecycle.Env, aws awsclient.Config) error {
			return booking.Run(ctx, env, booking.Config{DatabaseURL: s.db, AWS: aws, Auth: s.signer, Profile: s.prof})
		},
		"dispatch": func(ctx context.Context, env lifecycle.Env, aws awsclient.Config) error {
			return dispatch.Run(ctx, env, dispatch.Config{DatabaseURL: s.db, AWS: aws, Auth: s.signer, Profile: s.prof, NearbyURL: nearbyURL})
		},
		"notification": func(ctx context.Context, env lifecycle.Env, aws awsclient.Config) error {
			return notification.Run(ctx, env, notification.Config{DatabaseURL: s.db, AWS: aws, Auth: s.signer, Profile: s.prof})
		},
		"location": func(ctx context.Context, env lifecycle.Env, aws awsclient.Config) error {
			return location.Run(ctx, env, location.Config{AWS: aws, Auth: s.signer, Profile: s.prof, Backend: emulator})
		},
		"history": func(ctx context.Context, env lifecycle.Env, aws awsclient.Config) error {
			return history.Run(ctx, env, history.Config{DatabaseURL: s.db, AWS: aws, Auth: s.signer, Profile: s.prof})
		},
		"compare": func(ctx context.Context, env lifecycle.Env, aws awsclient.Config) error {
			return compare.Run(ctx, env, compare.Config{AWS: aws, Auth: s.signer, Profile: s.prof})
		},
		"heatmap": func(ctx context.Context, env lifecycle.Env, aws awsclient.Config) error {
			return heatmap.Run(ctx, env, heatmap.Config{DatabaseURL: s.db, AWS: aws, Auth: s.signer, Profile: s.prof})
		},
	} {
		cfg := s.record(name)
		s.run(name, func(ctx context.Context, env lifecycle.Env) error { return run(ctx, env, cfg) })
	}

	// One replica reads by fan-out, the other one polls.
	for replica, backend := range map[string]profile.Backend{"": emulator, "-polls": polls} {
		near, feed := s.record("nearby"), s.record("mapfeed")
		s.run("nearby"+replica, func(ctx context.Context, env lifecycle.Env) error {
			return nearby.Run(ctx, env, nearby.Config{DatabaseURL: s.db, AWS: near, Auth: s.signer, Profile: s.prof, Backend: backend})
		})
		s.run("mapfeed"+replica, func(ctx context.Context, env lifecycle.Env) error {
			return mapfeed.Run(ctx, env, mapfeed.Config{DatabaseURL: s.db, AWS: feed, Auth: s.signer, Profile: s.prof, Backend: backend, BookingURL: bookingURL})
		})
	}

	look := s.record("console")
	s.run("console", func(ctx context.Context, env lifecycle.Env) error {
		return console.Run(ctx, env, console.Config{DatabaseURL: s.db, Auth: s.signer, AWS: look, BookingURL: bookingURL})
	})

	g := gateway.Config{
		DatabaseURL: s.db, Auth: s.signer, OperatorKey: "operator", App: fstest.MapFS{"index.html": {}}, City: fstest.MapFS{},
		BookingURL: bookingURL, LocationURL: s.url("location"), MapfeedURL: s.url("mapfeed"), HistoryURL: s.url("history"),
		HeatmapURL: s.url("heatmap"), NotificationURL: s.url("notification"), ConsoleURL: s.url("console"), CompareURL: s.url("compare"),
	}
	s.run("gateway", func(ctx context.Context, env lifecycle.Env) error { return gateway.Run(ctx, env, g) })

	sim := simulator.Config{GatewayURL: s.url("gateway"), OperatorKey: "operator", Auth: s.signer, Drivers: 6, RidersPerMinute: 60, Speed: 4, Seed: 1}
	s.run("simulator", func(ctx context.Context, env lifecycle.Env) error { return simulator.Run(ctx, env, sim) })
}

// ask sends a request in a role and reports whether it was answered with 200 or 204.
func (s *stage) ask(method, url, subject string, role auth.Role, body string) bool {
	token, err := s.signer.Sign(auth.Identity{Subject: subject, Role: role}, time.Minute)
	require.NoError(s.t, err)

	req, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)

	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent)
}

// send puts a message on a queue.
func (s *stage) send(queue, body string) {
	cfg, err := awsclient.New(s.t.Context(), s.aws)
	require.NoError(s.t, err)
	in := &sqs.SendMessageInput{QueueUrl: aws.String(s.aws.Endpoint + "/000000000000/" + queue), MessageBody: &body}
	if strings.HasSuffix(queue, ".fifo") {
		in.MessageGroupId, in.MessageDeduplicationId = aws.String(uuid.NewString()), aws.String(uuid.NewString())
	}
	_, err = sqs.NewFromConfig(cfg).SendMessage(s.t.Context(), in)
	require.NoError(s.t, err)
}

// trouble makes the workers do what they seldom do: send a message that they cannot
// read to the dead letters, extend a message's visibility, and send an SMS.
func (s *stage) trouble() {
	s.send(event.QueueRideRequests, "not a ride request")
	s.send(event.QueueNotifications, "not a notice")
	require.Eventually(s.t, func() bool {
		return s.ask(http.MethodPut, s.url("notification")+"/v1/contact", "rita", auth.Rider, `{"phone":"+59899123456","language":"es"}`)
	}, time.Minute, 50*time.Millisecond)

	_, err := s.pool.Exec(s.t.Context(), "UPDATE notification.contacts SET verified_at = now()")
	require.NoError(s.t, err)

	e, err := event.New(uuid.NewString(), event.TypeRideArrived, time.Now(), event.RideNotice{RideID: uuid.NewString(), RiderID: "rita"})
	require.NoError(s.t, err)
	body, err := json.Marshal(e)
	require.NoError(s.t, err)

	// While the table is locked the handler waits, and its heartbeat has to extend
	// the message's visibility.
	tx, err := s.pool.Begin(s.t.Context())
	require.NoError(s.t, err)
	_, err = tx.Exec(s.t.Context(), "LOCK TABLE notification.deliveries IN ACCESS EXCLUSIVE MODE")
	require.NoError(s.t, err)
	s.send(event.QueueNotifications, string(body))
	extended := func() bool { return has(s.calls["notification"].calls(), "sqs:ChangeMessageVisibility") }
	require.Eventually(s.t, extended, time.Minute, 50*time.Millisecond, "the handler waits for the table")
	require.NoError(s.t, tx.Rollback(s.t.Context()))
}

// compare looks at the page Six maps and takes each of its steps.
func (s *stage) compare() {
	url := s.url("compare") + "/v1/compare"
	looks := func() bool { return s.ask(http.MethodGet, url+"?viewer=ann", "viewer", auth.Viewer, "") }
	require.Eventually(s.t, looks, time.Minute, 50*time.Millisecond)

	for _, act := range []string{"late", "lose", "jobs", "sns", "sns_late", "restart"} {
		press := func() bool {
			return looks() && s.ask(http.MethodPost, url+"/acts", "viewer", auth.Viewer, `{"viewer":"ann","act":"`+act+`"}`)
		}
		require.Eventually(s.t, press, time.Minute, 500*time.Millisecond, act)

		// Until what the step brings about has happened.
		if c, ok := map[string]call{
			"jobs":     {"sqs:SendMessage", "arn:aws:sqs" + account + "compare-jobs-dlq"},
			"sns_late": {"sqs:DeleteMessage", "arn:aws:sqs" + account + "compare-newcomer"},
		}[act]; ok {
			require.Eventually(s.t, func() bool { return looks() && slices.Contains(s.calls["compare"].calls(), c) }, time.Minute, 500*time.Millisecond, c)
		}
	}
}

// deadLetters has a person act on dead letters of each queue in each way: at the console,
// and at the command line.
func (s *stage) deadLetters() {
	for _, policy := range []string{"console", "redrive"} {
		tool, done, err := deadletter.Open(s.t.Context(), deadletter.Config{DatabaseURL: s.db, AWS: s.record(policy)})
		require.NoError(s.t, err)
		s.t.Cleanup(done)

		by := deadletter.By{Who: "ops", Why: "a test"}
		for _, place := range []string{event.QueueRideRequestsDead, event.QueueNotificationsDead} {
			for _, act := range []func(context.Context, string, string, deadletter.By) (deadletter.Act, error){tool.Redrive, tool.Discard} {
				// What is redriven comes back: no worker can read it.
				require.Eventually(s.t, func() bool {
					l, err := tool.List(s.t.Context(), place)
					if err != nil || len(l.Letters) == 0 {
						return false
					}
					_, err = act(s.t.Context(), place, l.Letters[0].ID, by)
					return err == nil
				}, time.Minute, 50*time.Millisecond, place)
			}

			for range 20 {
				s.send(place, "so many that they are under way when it is cancelled")
			}
			_, err = tool.RedriveAll(s.t.Context(), place, 1, by)
			require.NoError(s.t, err)
			_, err = tool.Cancel(s.t.Context(), place, by)
			require.NoError(s.t, err)
		}
	}
}

// readers has a person act on a reader that stands at a record, as no row takes it: at the
// console, and at the command line.
func (s *stage) readers() {
	_, err := s.pool.Exec(s.t.Context(), `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no row for it'; END $$;
		CREATE TRIGGER refuse BEFORE INSERT ON history.points FOR EACH ROW EXECUTE FUNCTION refuse()`)
	require.NoError(s.t, err)

	for _, policy := range []string{"console", "reader"} {
		tool, done, err := reader.Open(s.t.Context(), s.db, s.record(policy), nil)
		require.NoError(s.t, err)
		s.t.Cleanup(done)

		by := deadletter.By{Who: "ops", Why: "a test"}
		require.Eventually(s.t, func() bool {
			shards, err := tool.List(s.t.Context(), history.Name)
			i := slices.IndexFunc(shards, func(one reader.Shard) bool { return one.FailingAt != "" })
			if err != nil || i < 0 {
				return false
			}
			_, err = tool.Do(s.t.Context(), reader.Park, history.Name, reader.Ask{Shards: []string{shards[i].Shard}, Record: shards[i].FailingAt}, by)
			return err == nil
		}, time.Minute, 50*time.Millisecond, "a record is parked")
		_, err = tool.Do(s.t.Context(), reader.Seek, history.Name, reader.Ask{To: time.Now().Add(-time.Hour)}, by)
		require.NoError(s.t, err)
	}

	_, err = s.pool.Exec(s.t.Context(), `DROP TRIGGER refuse ON history.points`)
	require.NoError(s.t, err)
}

// replay has a person read again what history has just applied.
func (s *stage) replay() {
	cfg := replay.Config{DatabaseURL: s.db, AWS: s.record("replay"), DryRun: true, Out: io.Discard, Log: slog.New(slog.DiscardHandler)}
	require.EventuallyWithT(s.t, func(c *assert.CollectT) {
		// A reader at the tip says how far it is with each renewal of its lease, a third of
		// ten seconds apart.
		cfg.Span = replay.Span{From: time.Now().Add(-8 * time.Second), To: time.Now().Add(-6 * time.Second)}
		_, err := replay.History(s.t.Context(), cfg)
		require.NoError(c, err)
	}, time.Minute, 100*time.Millisecond)
}

func has(calls []call, action string) bool {
	for _, c := range calls {
		if c.action == action {
			return true
		}
	}
	return false
}

func TestServicesCallWhatTheirPoliciesAllow(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs all of Tandem for some seconds")
	}

	s := newStage(t)
	s.start()
	s.trouble()

	s.compare()
	s.deadLetters()
	s.readers()
	s.replay()

	// An operator looks, and audits; somebody opens the first page.
	require.Eventually(t, func() bool {
		return s.ask(http.MethodGet, s.url("console")+"/v1/overview", "ops", auth.Admin, "") &&
			s.ask(http.MethodGet, s.url("console")+"/v1/summary", "viewer", auth.Viewer, "")
	}, time.Minute, 50*time.Millisecond)
	_, err := audit.Run(t.Context(), audit.Config{DatabaseURL: s.db, AWS: s.record("audit"), Profile: s.prof})
	require.NoError(t, err)

	var missing string
	all := func() bool {
		missing = ""
		for name, r := range s.calls {
			if unused := readPolicy(t, name).unused(r.calls()); len(unused) > 0 {
				missing += fmt.Sprintf("\n  %s: %s", name, strings.Join(unused, ", "))
			}
		}
		return missing == ""
	}

	for end := time.Now().Add(4 * time.Minute); !all(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("allowed, and never called:%s", missing)
			break
		}

		// A trip looks overdue: the sweeper asks how many requests the queue holds, and
		// puts the trip off.
		_, err := s.pool.Exec(t.Context(), `UPDATE ride.rides SET wake_at = now() - interval '1 second' WHERE state = 'picked_up'`)
		require.NoError(t, err)
	}

	for name, r := range s.calls {
		p := readPolicy(t, name)
		for _, c := range r.calls() {
			if !p.allows(c) {
				t.Errorf("%s calls %s, which deploy/iam/%s.json does not allow", name, c, name)
			}
		}
	}
	require.Len(t, s.calls, 14)
}

// A person reshards, of a stream that nobody reads.
func TestReshardingCallsWhatItsPolicyAllows(t *testing.T) {
	t.Parallel()
	calls, p := &recorder{seen: map[call]bool{}}, readPolicy(t, "reshard")
	client, err := reshard.NewClient(t.Context(), calls.of(testenv.Emulator(t)))
	require.NoError(t, err)
	tool := reshard.Tool{Client: client, Stream: event.Stream, Buckets: 6, Wait: time.Minute, Every: 20 * time.Millisecond, Out: io.Discard}

	require.NoError(t, tool.Split(t.Context(), "shardId-000000000000"))
	require.NoError(t, tool.Merge(t.Context(), "shardId-000000000004", "shardId-000000000005"))
	require.NoError(t, tool.Scale(t.Context(), 2))
	require.Empty(t, p.unused(calls.calls()))
	for _, c := range calls.calls() {
		require.True(t, p.allows(c), c)
	}
}
