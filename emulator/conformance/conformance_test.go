package conformance_test

import (
	"flag"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/emulator"
	"tandem/emulator/conformance"
	"tandem/services/test/testenv"
)

// TestMain lets many cases wait at once: they wait for visibility timeouts and
// for streams, hardly for the processor.
func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the table of differences into docs/backends.md")
	flag.Parse()
	atOnce := 32
	if endpoint(nil).Backend != conformance.Emulator {
		atOnce = 3 // AWS creates five streams at once, LocalStack is one process
	}
	if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// endpoint is what the environment names, else the emulator.
func endpoint(t *testing.T) conformance.Endpoint {
	at := conformance.Endpoint{Backend: conformance.Backend(os.Getenv("CONFORMANCE_BACKEND")), Slow: os.Getenv("CONFORMANCE_SLOW") != ""}
	at.Endpoint = os.Getenv("CONFORMANCE_ENDPOINT")
	switch {
	case at.Backend == conformance.AWS:
	case at.Endpoint != "" && at.Backend == "":
		at.Backend = conformance.LocalStack
	case at.Endpoint == "":
		at.Backend = conformance.Emulator
		if t != nil {
			at.IteratorLife = 15 * time.Second
			at.Endpoint = testenv.Emulator(t, func(c *emulator.Config) { c.IteratorLife = at.IteratorLife }).Endpoint
		}
	}

	return at
}

func TestConformance(t *testing.T) {
	at := endpoint(t)
	require.Contains(t, []conformance.Backend{conformance.Emulator, conformance.LocalStack, conformance.AWS}, at.Backend)
	conformance.Run(t, at)
}
