// Package testaws points the AWS SDK at an endpoint under test. It stands apart
// from testenv, which starts the emulator, so that the emulator's own tests can
// use it; they can't import services/internal themselves.
package testaws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tandem/services/internal/awsclient"
)

// Config returns the SDK's configuration for endpoint, a base URL such as
// http://127.0.0.1:4566. An empty endpoint is AWS itself, with the SDK's own
// credentials; an empty region is us-east-1 at an endpoint, else the SDK's.
func Config(ctx context.Context, endpoint, region string) (aws.Config, error) {
	return awsclient.New(ctx, awsclient.Config{Endpoint: endpoint, Region: region})
}
