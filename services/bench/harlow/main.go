// Command harlow reads a stream by harlow/kinesis-consumer, with its defaults: it looks
// every 250 ms, and keeps its checkpoints nowhere. It ends once it has so many points.
//
//	harlow ENDPOINT REGION STREAM POINTS
//
// It is a program of its own because both that package and Tandem's kpl register the
// messages of the aggregated format, and a program can have them once.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/credentials"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/kinesis"
	consumer "github.com/harlow/kinesis-consumer"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "harlow:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return errors.New("usage: harlow ENDPOINT REGION STREAM POINTS")
	}
	points, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}

	s, err := session.NewSession(aws.NewConfig().WithEndpoint(args[0]).WithRegion(args[1]).WithCredentials(credentials.NewStaticCredentials("test", "test", "")))
	if err != nil {
		return err
	}
	c, err := consumer.New(args[2], consumer.WithClient(kinesis.New(s)), consumer.WithAggregation(true),
		consumer.WithShardIteratorType(kinesis.ShardIteratorTypeTrimHorizon))
	if err != nil {
		return err
	}

	ctx, done := context.WithCancel(context.Background())
	defer done()
	err = c.Scan(ctx, func(*consumer.Record) error {
		if points--; points == 0 {
			done()
		}
		return nil
	})
	if points > 0 {
		return fmt.Errorf("%d points were not read: %w", points, err)
	}
	return nil
}
