package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/event"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/test/apitest"
	"tandem/services/test/testenv"
	"tandem/services/tools/deadletter"
	"tandem/services/tools/reader"
)

func groups() postgres.Schema {
	return postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()}
}

// stuckReaders puts two records on a shard, and writes that the groups have applied
// nothing of it and stand at the first of them. No process reads. It returns the shard and
// the names of the records.
func stuckReaders(t *testing.T, pool *pgxpool.Pool, where awsclient.Config, names ...string) (shard string, records []string) {
	t.Helper()
	aws, err := awsclient.New(t.Context(), where)
	require.NoError(t, err)
	client := kinesis.NewFromConfig(aws)
	for range 2 {
		out, err := client.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: new(event.Stream), PartitionKey: new("d"), Data: []byte("{}")})
		require.NoError(t, err)
		shard, records = *out.ShardId, append(records, *out.SequenceNumber+"/0")
	}

	stream, err := client.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: new(event.Stream)})
	require.NoError(t, err)
	for _, name := range names {
		var id int64
		require.NoError(t, pool.QueryRow(t.Context(), `INSERT INTO shardgroup.streams (group_name, generation, arn, created_at) VALUES ($1, 1, 'arn', $2) RETURNING id`,
			name, stream.StreamDescriptionSummary.StreamCreationTimestamp.Truncate(time.Millisecond)).Scan(&id))
		_, err = pool.Exec(t.Context(), `INSERT INTO shardgroup.leases (stream_id, shard) VALUES ($1, $2)`, id, shard)
		require.NoError(t, err)
		_, err = pool.Exec(t.Context(), `INSERT INTO shardgroup.checkpoints (stream_id, shard, sequence, sub) VALUES ($1, $2, '', 0)`, id, shard)
		require.NoError(t, err)
	}
	standAt(t, pool, records[0])
	return shard, records
}

// standAt writes that all shards fail at a record, as their reader does with its renewal.
func standAt(t *testing.T, pool *pgxpool.Pool, record string) {
	t.Helper()
	sequence, _, _ := strings.Cut(record, "/")
	_, err := pool.Exec(t.Context(), `UPDATE shardgroup.leases SET failing = 'no row for it', failing_sequence = $1, failing_sub = 0`, sequence)
	require.NoError(t, err)
}

// TestReadersOverHTTP walks through the acts, on a real Postgres and the emulator, and
// holds each answer against docs/openapi.yaml.
func TestReadersOverHTTP(t *testing.T) {
	t.Parallel()
	db, pool := testenv.Database(t, deadletter.Schema(), groups())
	where := testenv.Emulator(t)
	tool, done, err := reader.Open(t.Context(), db, where, nil)
	require.NoError(t, err)
	t.Cleanup(done)
	shard, records := stuckReaders(t, pool, where, "heatmap")

	signer := testSigner(t)
	api := apitest.Serve(t, signer, (&service{readers: tool}).routes())
	ask := func(role auth.Role, method, path, body string, status int) (got map[string]any) {
		t.Helper()
		token, err := signer.Sign(auth.Identity{Subject: "ana", Role: role}, time.Minute)
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), method, api.Base+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := api.RoundTrip(req)
		require.NoError(t, err)
		defer func() { require.NoError(t, resp.Body.Close()) }()
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&got))
		require.Equal(t, status, resp.StatusCode, "%s: %v", path, got)
		return got
	}
	act := func(name, body string, status int) map[string]any {
		t.Helper()
		return ask(auth.Admin, "POST", "/v1/readers/heatmap/"+name, body, status)
	}
	one := func() map[string]any {
		t.Helper()
		shards, _ := ask(auth.Admin, "GET", "/v1/readers", "", 200)["shards"].([]any)
		require.Len(t, shards, 1)
		return shards[0].(map[string]any)
	}
	require.Equal(t, []any{"heatmap", shard, "no row for it", records[0]}, []any{one()["group"], one()["shard"], one()["error"], one()["failing_at"]})

	// An answer that was lost: the record is parked once, and the next that fails is not.
	body := fmt.Sprintf(`{"why":"no row takes it","shards":["%s"],"record":"%s"}`, shard, records[0])
	for _, role := range []auth.Role{auth.Viewer, auth.Rider, auth.Driver, auth.Importer, auth.Service} {
		ask(role, "POST", "/v1/readers/heatmap/park", body, 403)
	}
	did := act("park", body, 200)
	require.Equal(t, []any{"park", "admin ana", true, "reader heatmap", shard + " " + records[0], "no row takes it", "done"},
		[]any{did["act"], did["who"], did["verified"], did["place"], did["message_id"], did["why"], did["outcome"]})
	standAt(t, pool, records[1])
	act("park", body, 409)
	require.Equal(t, []any{records[1], 1.0}, []any{one()["failing_at"], one()["parked"]})
	act("skip", strings.Replace(body, records[0], records[1], 1), 200)
	require.Equal(t, []any{nil, 1.0}, []any{one()["failing_at"], one()["parked"]})
	act("skip", strings.Replace(body, records[0], reader.Parked, 1), 200)
	require.Zero(t, one()["parked"])

	act("pause", `{"why":"the disk is full"}`, 200)
	require.Equal(t, "paused", one()["state"])
	act("pause", `{}`, 409)
	act("resume", `{}`, 200)
	require.Equal(t, "free", one()["state"])
	to := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	act("seek", fmt.Sprintf(`{"to":"%s"}`, to), 200)
	var start time.Time
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT start_at FROM shardgroup.checkpoints WHERE sequence = ''`).Scan(&start))
	require.Equal(t, to, start.UTC().Format(time.RFC3339))

	rows, err := pool.Query(t.Context(), `SELECT act || ' ' || who || ' ' || verified || ' ' || outcome FROM operations.acts ORDER BY id`)
	require.NoError(t, err)
	var acts []string
	for rows.Next() {
		var row string
		require.NoError(t, rows.Scan(&row))
		acts = append(acts, strings.TrimSuffix(row, " admin ana true done"))
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []string{"park", "skip", "skip", "pause", "resume", "seek"}, acts)
}
