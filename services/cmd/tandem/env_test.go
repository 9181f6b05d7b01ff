package main

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
	"tandem/services/domain/profile"
)

func TestEnvIsWhatAShellExports(t *testing.T) {
	run := runfile.Run{Gateway: "http://it's:8080", DatabaseURL: "postgres://d", Backend: profile.Emulator, AWSEndpoint: "http://127.0.0.1:4566"}

	var b bytes.Buffer
	require.NoError(t, printEnv(&b, run))
	b.WriteString(`echo "$TANDEM_URL $DATABASE_URL $AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $AWS_REGION $AWS_DEFAULT_REGION"`)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", b.String())
	cmd.Env = []string{"DATABASE_URL=mine"}
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, "http://it's:8080 mine http://127.0.0.1:4566 test test us-east-1 us-east-1\n", string(out), "a demo started in this shell has a Postgres of its own")
}

func TestEnvOfAWSHasNoKeys(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, printEnv(&b, runfile.Run{Gateway: "http://g", DatabaseURL: "postgres://d", Backend: profile.AWS, AWSRegion: "eu-west-1"}))
	require.Equal(t, "export TANDEM_URL='http://g'\nexport AWS_REGION='eu-west-1'\nexport AWS_DEFAULT_REGION='eu-west-1'\n", b.String())
}
