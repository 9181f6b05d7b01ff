package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
)

// faults makes calls that the services depend on fail on purpose: done but not
// answered, done twice, not done, answered late; and iterators expire. One call in
// ten to fifty fails, some more often.
const faults = `[
	{"operation": "PutRecords", "kind": "lost_answer", "probability": 0.03, "seed": 1},
	{"operation": "PutRecords", "kind": "duplicate", "probability": 0.03, "seed": 2},
	{"operation": "PutRecords", "kind": "error", "code": "InternalFailure", "status": 500, "probability": 0.03, "seed": 3},
	{"operation": "GetRecords", "kind": "expired_iterator", "probability": 0.03, "seed": 4},
	{"operation": "GetRecords", "kind": "reset", "probability": 0.03, "seed": 5},
	{"operation": "SubscribeToShard", "kind": "reset", "probability": 0.2, "seed": 6},
	{"operation": "SendMessageBatch", "kind": "lost_answer", "probability": 0.1, "seed": 7},
	{"operation": "SendMessageBatch", "kind": "duplicate", "probability": 0.1, "seed": 8},
	{"operation": "ReceiveMessage", "kind": "lost_answer", "probability": 0.02, "seed": 9},
	{"operation": "ReceiveMessage", "kind": "reorder", "probability": 0.5, "seed": 10},
	{"operation": "DeleteMessageBatch", "kind": "lost_answer", "probability": 0.1, "seed": 11},
	{"operation": "DeleteMessageBatch", "kind": "error", "code": "InternalFailure", "status": 500, "probability": 0.05, "seed": 12},
	{"operation": "ChangeMessageVisibilityBatch", "kind": "reset", "probability": 0.05, "seed": 13},
	{"operation": "*", "kind": "latency", "latency_ms": 200, "probability": 0.02, "seed": 14}
]`

// faultsOn is the flag that lets the emulator fail, where it is the backend.
func faultsOn() []string {
	if b := os.Getenv("TANDEM_BACKEND"); b == "" || b == profile.Emulator {
		return []string{"--faults"}
	}
	return nil
}

// fail sets the faults, if the backend is the emulator. It is called again after
// the emulator was killed, because a new process has none.
func fail(t *testing.T, d *demo) {
	t.Helper()
	run := d.runFile(t)
	if run.Backend != profile.Emulator {
		return
	}

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, run.AWSEndpoint+"/_aws/faults", strings.NewReader(faults))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")

	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}
