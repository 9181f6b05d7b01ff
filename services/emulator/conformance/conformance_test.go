package conformance_test

import (
	"os"
	"testing"

	"tandem/services/emulator/conformance"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/testenv"
)

func TestConformance(t *testing.T) {
	if endpoint := os.Getenv("CONFORMANCE_ENDPOINT"); endpoint != "" {
		conformance.Run(t, awsclient.Config{Endpoint: endpoint})
		return
	}
	conformance.Run(t, testenv.Emulator(t))
}
