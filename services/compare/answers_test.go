package compare

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/test/apitest"
)

// TestTheDescribedAnswersHappen provokes what docs/openapi.yaml says of the service's
// routes. No session runs: the other tests hold a session's answers against the file.
func TestTheDescribedAnswersHappen(t *testing.T) {
	t.Parallel()
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	s := newService(newCloud(aws.Config{}), time.Second, slog.New(slog.DiscardHandler))
	api := apitest.Serve(t, signer, s.routes())

	viewer := auth.Identity{Role: auth.Viewer, Subject: "viewer"}
	press := func(status int, name, act string, now *session) apitest.Request {
		return apitest.Request{Op: "compareAct", Who: viewer, Status: status, Body: `{"viewer":"` + name + `","act":"` + act + `"}`, Before: func(*apitest.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.now = now
		}}
	}
	over, end := context.WithCancel(t.Context())
	end()

	api.RefusesWrongInput(t, []apitest.Request{{Op: "compareAct", Who: viewer, Body: `{"viewer":"ann","act":"late"}`}}, func() any { return len(s.viewers) })
	api.Provoke(t, []apitest.Request{
		{Op: "compare", Who: viewer, Status: 400, Path: "/v1/compare?viewer=a+b"},
		{Op: "compare", Who: viewer, Status: 400, Path: "/v1/compare?viewer=ann&cursor=x"},
		{Op: "compare", Who: viewer, Status: 200, Path: "/v1/compare?viewer=ann"},
		{Op: "compare", Who: viewer, Status: 200, Path: "/v1/compare?viewer=bo"},
		press(400, "nobody", ActLate, nil),
		press(400, "ann", "explode", nil),
		press(409, "bo", ActLate, nil),
		press(503, "ann", ActLate, nil),
		press(204, "ann", ActRestart, &session{ctx: t.Context()}),
		press(409, "ann", ActLate, &session{ctx: t.Context(), acts: []string{ActLate}}),
		press(410, "ann", ActLose, &session{ctx: over}),
	}, map[string]string{"429": "httpserver's tests have the limits", "503": "httpserver's tests take dependencies away"})
	s.now = nil
	api.RefusesWrongInput(t, []apitest.Request{{Op: "compare", Who: viewer, Path: "/v1/compare?viewer=ann"}}, nil)
}
