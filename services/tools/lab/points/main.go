// Command points prints five points that a driver sent half a minute ago, and where on the
// stream they lie:
//
//	points sim-1-d-0028
//
// It is a reader like any other: nobody notices it, and it takes nothing away.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go/logging"

	"tandem/services/domain/event"
	"tandem/services/internal/awsclient"
	"tandem/services/internal/stream/shardreader"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: points DRIVER")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

var errEnough = errors.New("five points")

// run prints the first five points that the driver sent in the last half minute.
func run(ctx context.Context, driver string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()

	cfg, err := awsclient.New(ctx, awsclient.Config{}) // AWS_ENDPOINT_URL says where
	if err != nil {
		return err
	}
	cfg.Logger = logging.Nop{} // the SDK would warn of the calls that are given up after the fifth point
	reader, err := shardreader.New(shardreader.Options{Client: kinesis.NewFromConfig(cfg), Stream: event.Stream})
	if err != nil {
		return err
	}

	found := 0
	err = reader.All(ctx, shardreader.At(time.Now().Add(-30*time.Second)), func(_ context.Context, b shardreader.Batch) error {
		for _, r := range b.Records {
			p, err := event.DecodePoint(r.Key, r.Data)
			if err != nil || p.Driver != driver {
				continue // another's, or not a point
			}
			if found++; found > 5 {
				return errEnough
			}
			fmt.Printf("%s  …%s  %s  %.5f, %.5f\n", b.Shard, r.Sequence[len(r.Sequence)-8:], p.Time().Local().Format("15:04:05"), p.Lat, p.Lon)
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		return fmt.Errorf("%d points of %s in half a minute: %w", found, driver, err)
	}
	return nil
}
