package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/problem"
)

func TestDocumentRoundTripHidesTheCause(t *testing.T) {
	p := problem.Wrap(errors.New("dial tcp 10.0.0.7"), problem.Unavailable, "Try again.")
	p.Field, p.Extra = "points", map[string]any{"accepted_through": float64(7)}
	b, err := json.Marshal(p)
	require.NoError(t, err)
	require.NotContains(t, string(b), "10.0.0.7")
	var got problem.Error
	require.NoError(t, json.Unmarshal(b, &got))
	require.Equal(t, problem.Error{Code: problem.Unavailable, Field: "points", Detail: "Try again.", Extra: p.Extra}, got)
	require.JSONEq(t, `{"type":"tag:tandem,2026:unavailable","title":"Service Unavailable","status":503,"code":"unavailable","detail":"Try again.","field":"points","accepted_through":7}`, string(b))
}

func TestFromFindsTheProblemInTheChain(t *testing.T) {
	p := problem.Field("lat", "out of range")
	require.Same(t, p, problem.From(fmt.Errorf("batch: %w", p)))
	require.Equal(t, problem.Internal, problem.From(errors.New("x")).Code)
}
