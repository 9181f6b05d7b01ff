package lifecycle_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/lifecycle"
)

func TestLoggerNamesServiceOnEveryLine(t *testing.T) {
	var out bytes.Buffer
	log, err := lifecycle.Logger(&out, "booking", "warn")
	require.NoError(t, err)
	log.Info("below the level")
	log.Warn("seen", "ride", "r1")

	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), out.String())
	require.Equal(t, "booking", line["service"])
	require.EqualValues(t, os.Getpid(), line["pid"])
	require.Equal(t, "r1", line["ride"])
}

func TestLoggerRefusesUnknownLevel(t *testing.T) {
	_, err := lifecycle.Logger(&bytes.Buffer{}, "booking", "loud")
	require.ErrorContains(t, err, "debug, info, warn or error")
}
