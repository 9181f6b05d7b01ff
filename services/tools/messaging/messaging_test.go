package messaging_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/tools/messaging"
)

func TestDeployMakesTheStack(t *testing.T) {
	f, out := newFake(t), &bytes.Buffer{}
	cfg := f.config()
	cfg.Parameters = map[string]string{"Shards": "8"}
	f.shards = 8
	require.NoError(t, messaging.Deploy(t.Context(), out, cfg))
	require.Equal(t, "8", f.parameters["Shards"])
	require.Equal(t, 1, f.made("CreateStack"))
	require.Contains(t, out.String(), "The stack tandem is CREATE_COMPLETE in eu-west-1.")
	require.NotContains(t, out.String(), "kept records for", "the retention is right")
}

func TestDeployKeepsWhatIsNotGiven(t *testing.T) {
	f, out := newFake(t), &bytes.Buffer{}
	f.status, f.parameters["Shards"], f.shards = "UPDATE_COMPLETE", "8", 8
	cfg := f.config()
	require.NoError(t, messaging.Deploy(t.Context(), out, cfg))
	require.Contains(t, out.String(), "Nothing has changed.")
	cfg.Parameters = map[string]string{"RideRequestVisibilitySeconds": "40"}
	require.NoError(t, messaging.Deploy(t.Context(), out, cfg))
	require.Equal(t, "8", f.parameters["Shards"], "a deploy without it does not take it back")
	require.Equal(t, "40", f.parameters["RideRequestVisibilitySeconds"])
	require.Zero(t, f.made("CreateStack"))
	require.Contains(t, out.String(), "UPDATE_COMPLETE in")
}

func TestDeployNamesWhatFailed(t *testing.T) {
	for _, there := range []string{"", "CREATE_COMPLETE"} {
		f, out := newFake(t), &bytes.Buffer{}
		f.status = there
		f.events = []event{{"Old", "AWS::SQS::Queue", "UPDATE_FAILED", "an older trouble"}}
		f.ends = map[bool]string{true: "ROLLBACK_COMPLETE", false: "UPDATE_ROLLBACK_COMPLETE"}[there == ""]
		f.failing = []event{
			{"DriverLocations", "AWS::Kinesis::Stream", "CREATE_FAILED", "Shard limit exceeded"},
			{"RideRequests", "AWS::SQS::Queue", "CREATE_FAILED", "Resource creation cancelled"},
		}
		cfg := f.config()
		cfg.Parameters = map[string]string{"Shards": "64"}
		err := messaging.Deploy(t.Context(), out, cfg)
		require.ErrorIs(t, err, messaging.ErrFailed)
		require.ErrorContains(t, err, "DriverLocations (AWS::Kinesis::Stream): Shard limit exceeded")
		require.NotContains(t, err.Error(), "cancelled", "which was only a consequence")
		if there != "" {
			require.NotContains(t, err.Error(), "an older trouble")
			require.ErrorContains(t, err, "the update failed and was taken back")
			continue
		}
		// And again: it can only be deleted, and the reason is still told.
		err = messaging.Deploy(t.Context(), out, cfg)
		require.ErrorIs(t, err, messaging.ErrFailed)
		require.ErrorContains(t, err, "tandem messaging delete")
		require.ErrorContains(t, err, "Shard limit exceeded")
		require.Equal(t, 1, f.made("CreateStack"))
		require.Zero(t, f.made("UpdateStack"))
	}
}

func TestDeployWaitsForWhoIsAtIt(t *testing.T) {
	f, out := newFake(t), &bytes.Buffer{}
	f.status, f.next = "CREATE_IN_PROGRESS", []string{"CREATE_IN_PROGRESS", "CREATE_COMPLETE"}
	require.NoError(t, messaging.Deploy(t.Context(), out, f.config()))
	require.Contains(t, out.String(), "waiting for that to end")
	require.Contains(t, out.String(), "Nothing has changed.")
}

func TestDeployGivesUpInTime(t *testing.T) {
	f := newFake(t)
	f.status = "UPDATE_IN_PROGRESS"
	cfg := f.config()
	cfg.PollEvery, cfg.Within = time.Hour, 50*time.Millisecond
	require.ErrorContains(t, messaging.Deploy(t.Context(), &bytes.Buffer{}, cfg), "it goes on by itself")
}

func TestLocalStackIsNotBelieved(t *testing.T) {
	f, out := newFake(t), &bytes.Buffer{}
	cfg := f.config()
	cfg.Backend = profile.LocalStack
	cfg.Parameters = map[string]string{"StreamRetentionHours": "48"}
	require.NoError(t, messaging.Deploy(t.Context(), out, cfg))
	require.Equal(t, 48, f.retention)
	cfg.Parameters = map[string]string{"Shards": "6", "StreamRetentionHours": "30"}
	err := messaging.Deploy(t.Context(), out, cfg)
	require.ErrorIs(t, err, messaging.ErrShards)
	require.ErrorContains(t, err, "driver-locations has 4 open, the stack says 6")
	require.Equal(t, 30, f.retention)
	require.ErrorIs(t, messaging.Status(t.Context(), out, cfg), messaging.ErrShards)
	cfg.Backend = profile.AWS // where a stream may have been resharded
	require.NoError(t, messaging.Deploy(t.Context(), out, cfg))
	require.Contains(t, out.String(), "has 4 open shards; the stack says 6")
}

func TestDeleteProvesIt(t *testing.T) {
	f, out := newFake(t), &bytes.Buffer{}
	f.status, f.queues, f.streams = "UPDATE_COMPLETE", []string{"ride-requests", "another"}, []string{"driver-locations"}
	f.keep = []string{"another"}
	require.NoError(t, messaging.Delete(t.Context(), out, f.config()))
	require.Contains(t, out.String(), "compare-points, notifications-dlq.fifo, notifications.fifo, ride-requests, ride-requests-dlq")
	require.Contains(t, out.String(), "tandem is DELETE_COMPLETE")
	require.Contains(t, out.String(), "Nothing is left.")
}

func TestDeleteNamesLeftovers(t *testing.T) {
	for _, stack := range []string{"CREATE_COMPLETE", ""} { // with a stack, and without
		f, out := newFake(t), &bytes.Buffer{}
		f.status, f.keep = stack, []string{"ride-requests-dlq"}
		f.queues = f.keep
		if stack == "" {
			f.streams, f.topics, f.alarms = []string{"driver-locations"}, []string{"tandem-alarms", "x"}, []string{"tandem-ride-requests-age"}
		}
		err := messaging.Delete(t.Context(), out, f.config())
		require.ErrorIs(t, err, messaging.ErrLeft)
		require.ErrorContains(t, err, "ride-requests-dlq")
		require.NotContains(t, out.String(), "Nothing is left.")
		if stack == "" {
			for _, name := range []string{"driver-locations", "mapfeed-1", "tandem-alarms", "tandem-ride-requests-age"} {
				require.ErrorContains(t, err, name)
			}
			require.NotContains(t, err.Error(), "somebody-elses")
		}
	}
}

func TestDeleteWaitsForSQSToForget(t *testing.T) {
	f, out := newFake(t), &bytes.Buffer{}
	f.status, f.keep, f.late = "CREATE_COMPLETE", []string{"ride-requests"}, 3
	cfg := f.config()
	cfg.GoneIn = time.Minute
	require.NoError(t, messaging.Delete(t.Context(), out, cfg))
	require.Contains(t, out.String(), "Still listed: ride-requests.")
	require.Equal(t, 4, f.made("ListQueues"))
}

func TestDeleteThatFails(t *testing.T) {
	f := newFake(t)
	f.status, f.ends = "CREATE_COMPLETE", "DELETE_FAILED"
	f.failing = []event{{"Alarms", "AWS::SNS::Topic", "DELETE_FAILED", "not authorized"}}
	err := messaging.Delete(t.Context(), &bytes.Buffer{}, f.config())
	require.ErrorIs(t, err, messaging.ErrLeft)
	require.ErrorContains(t, err, "Alarms (AWS::SNS::Topic): not authorized")
}

func TestStatus(t *testing.T) {
	f, out := newFake(t), &bytes.Buffer{}
	err := messaging.Status(t.Context(), out, f.config())
	require.ErrorIs(t, err, messaging.ErrNoStack)
	require.ErrorContains(t, err, "tandem messaging deploy --backend=aws creates it")
	f.status, f.queues = "CREATE_COMPLETE", []string{"ride-requests"}
	require.NoError(t, messaging.Status(t.Context(), out, f.config()))
	require.Contains(t, out.String(), "Shards = 4")
	require.Contains(t, out.String(), "queues: ride-requests (of ")
	f.status = "ROLLBACK_COMPLETE"
	require.ErrorIs(t, messaging.Status(t.Context(), out, f.config()), messaging.ErrFailed)
}

func TestWhatIsRefusedBeforeAnyCall(t *testing.T) {
	f := newFake(t)
	cfg := f.config()
	cfg.Parameters = map[string]string{"Shard": "8"}
	require.ErrorContains(t, messaging.Deploy(t.Context(), &bytes.Buffer{}, cfg), "there is no parameter Shard; there are ")
	cfg = f.config()
	cfg.Backend = profile.Emulator
	require.ErrorContains(t, messaging.Deploy(t.Context(), &bytes.Buffer{}, cfg), "by itself")
	cfg = f.config()
	cfg.Template = []byte("Resources:\n  Q:\n    Type: AWS::SQS::Queue\n")
	require.ErrorContains(t, messaging.Delete(t.Context(), &bytes.Buffer{}, cfg), "no plain name")
	require.Empty(t, f.calls)
}
