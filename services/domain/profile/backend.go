package profile

import (
	"fmt"
	"time"

	"tandem/services/internal/stream/kpl"
)

// Backend is what Tandem does differently on each AWS that it can run on. It is
// named in the configuration, never guessed from how an endpoint behaves.
// docs/backends.md has the reasons.
type Backend struct {
	Name string
	// Buckets divides the drivers into 2^Buckets parts, each of which keeps its own
	// order. It is fixed for the life of a stream.
	Buckets kpl.Buckets
	// MinLinger is the least time from one record of a bucket to its next.
	MinLinger time.Duration
	// FanOut reports whether mapfeed and nearby read by enhanced fan-out.
	FanOut bool
}

// The three backends.
const (
	Emulator   = "emulator"
	LocalStack = "localstack"
	AWS        = "aws"
)

// BackendByName returns the backend of that name.
func BackendByName(name string) (Backend, error) {
	switch name {
	case Emulator:
		return Backend{Name: name, Buckets: 6, FanOut: true}, nil
	case LocalStack:
		// Its puts get slower with every record that it keeps (docs/backends.md has
		// the measurements), so there are fewer and larger records. Its
		// SubscribeToShard sleeps 3 s when there is nothing to send.
		return Backend{Name: name, Buckets: 3, MinLinger: time.Second}, nil
	case AWS:
		return Backend{Name: name, Buckets: 6, FanOut: true}, nil
	}
	return Backend{}, fmt.Errorf("backend %q is not known; use emulator, localstack or aws", name)
}
