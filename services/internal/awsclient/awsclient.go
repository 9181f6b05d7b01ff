// Package awsclient configures the AWS SDK for the backend that Tandem runs on,
// with an HTTP transport that is safe for large bodies.
package awsclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Config says where AWS is.
type Config struct {
	// Endpoint is the base URL of the emulator or of LocalStack; empty is AWS
	// itself with the default credential chain.
	Endpoint string
	Region   string // empty: us-east-1 with an endpoint, else the default chain's
	// CredentialChain uses the SDK's default credentials with an Endpoint too. By
	// default an Endpoint gets the credentials test, test, so that no real ones are
	// sent to it.
	CredentialChain bool
	// WrapTransport, when set, wraps the HTTP transport: tests and failpoints.
	WrapTransport func(http.RoundTripper) http.RoundTripper
}

// New returns an aws.Config for the SDK's clients: sqs.NewFromConfig and so on.
func New(ctx context.Context, c Config) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 64
		t.ResponseHeaderTimeout = 40 * time.Second // above the longest long poll, 20 s
	}).WithDialerOptions(func(d *net.Dialer) { d.Timeout = 3 * time.Second })

	opts := []func(*config.LoadOptions) error{config.WithHTTPClient(client)}
	region := c.Region
	if c.Endpoint != "" {
		opts = append(opts, config.WithBaseEndpoint(c.Endpoint))
		if region == "" {
			region = "us-east-1"
		}
		if !c.CredentialChain {
			opts = append(opts, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
		}
	}
	if region != "" {
		opts = append(opts, config.WithRegion(region))
	}

	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("aws configuration: %w", err)
	}

	// Wrapped last: only then has the SDK applied AWS_CA_BUNDLE to its client.
	transport := http.RoundTripper(roundTripper{cfg.HTTPClient})
	if c.WrapTransport != nil {
		transport = c.WrapTransport(transport)
	}
	cfg.HTTPClient = httpClient{copyBody{transport}}
	cfg.APIOptions = append(cfg.APIOptions, addSpans)
	return cfg, nil
}

// roundTripper and httpClient turn the SDK's client into a transport that can
// be wrapped, and back.
type roundTripper struct{ aws.HTTPClient }

func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return t.Do(r) }

type httpClient struct{ http.RoundTripper }

func (c httpClient) Do(r *http.Request) (*http.Response, error) { return c.RoundTrip(r) }

// copyBody hands net/http a body of its own. The SDK closes a request's body
// when the call returns, while net/http may still be writing it: over loopback
// 1 to 2.4 % of 500-record PutRecords then fail after they succeeded, and are
// sent again (aws-sdk-go-v2 issues 1825, 2737, 2949). Bodies here are bounded
// by AWS's own limits (10 MiB).
type copyBody struct{ next http.RoundTripper }

func (t copyBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return t.next.RoundTrip(r)
	}

	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read request body: %w", err)
	}
	if err := r.Body.Close(); err != nil {
		return nil, fmt.Errorf("close request body: %w", err)
	}

	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	return t.next.RoundTrip(r)
}
