package profile

import (
	"fmt"
	"time"

	"tandem/services/internal/stream/kpl"
)

// Backend is what Tandem does differently on each AWS that it can run on. It is
// named in the configuration, never guessed from how an endpoint behaves. The
// reasons stand in docs/backends.md.
type Backend struct {
	Name string
	// Buckets cuts the drivers into 2^Buckets parts, each in order by itself. It
	// is fixed for the life of a stream.
	Buckets kpl.Buckets
	// MinLinger is the least time that the producer waits for more points.
	MinLinger time.Duration
	// FanOut says whether mapfeed and nearby read by enhanced fan-out.
	FanOut bool
}

// The three backends.
const (
	Emulator   = "emulator"
	LocalStack = "localstack"
	AWS        = "aws"
)

// BackendByName gives the backend of that name.
func BackendByName(name string) (Backend, error) {
	switch name {
	case Emulator:
		return Backend{Name: name, Buckets: 6, FanOut: true}, nil
	case LocalStack:
		// Its puts get slower with every record kept (docs/backends.md has the
		// measurements), so fewer and larger records;
		// its SubscribeToShard sleeps 3 s when there is nothing.
		return Backend{Name: name, Buckets: 3, MinLinger: time.Second}, nil
	case AWS:
		return Backend{Name: name, Buckets: 6, FanOut: true}, nil
	}
	return Backend{}, fmt.Errorf("backend %q is not known; use emulator, localstack or aws", name)
}
