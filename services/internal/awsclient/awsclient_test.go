package awsclient_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/awsclient"
)

func TestEndpointAndTransport(t *testing.T) {
	var got []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `{"QueueUrl":"http://q/1"}`)
	}))
	defer srv.Close()
	wrapped := 0
	cfg, err := awsclient.New(t.Context(), awsclient.Config{Endpoint: srv.URL, WrapTransport: func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			wrapped++
			require.NotNil(t, r.GetBody, "the body is a copy that can be sent again")
			return next.RoundTrip(r)
		})
	}})
	require.NoError(t, err)
	out, err := sqs.NewFromConfig(cfg).GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("q")})
	require.NoError(t, err)
	require.Equal(t, "http://q/1", *out.QueueUrl)
	require.Equal(t, 1, wrapped)
	require.True(t, bytes.Contains(got, []byte(`"QueueName":"q"`)))
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// An endpoint gets credentials that are none, unless the chain's are asked for.
func TestCredentials(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "mine")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	for chain, want := range map[bool]string{false: "test", true: "mine"} {
		cfg, err := awsclient.New(t.Context(), awsclient.Config{Endpoint: "http://127.0.0.1:1", CredentialChain: chain})
		require.NoError(t, err)
		got, err := cfg.Credentials.Retrieve(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, got.AccessKeyID)
		require.Equal(t, "us-east-1", cfg.Region)
	}
}
