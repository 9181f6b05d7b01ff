package awsclient_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tandem/services/internal/awsclient"
)

func TestACallIsASpanOfItsTrace(t *testing.T) {
	var header http.Header
	answer := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		w.WriteHeader(answer)
		_, _ = io.WriteString(w, `{"QueueUrl":"http://q/1"}`)
	}))
	defer srv.Close()
	cfg, err := awsclient.New(t.Context(), awsclient.Config{Endpoint: srv.URL})
	require.NoError(t, err)
	client := sqs.NewFromConfig(cfg)
	spans := tracetest.NewSpanRecorder()
	tracer := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans)).Tracer("test")

	// A poll that nobody asked for.
	_, err = client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("q")})
	require.NoError(t, err)
	require.Empty(t, spans.Started())

	ctx, root := tracer.Start(t.Context(), "root")
	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(srv.URL), MessageBody: aws.String("Calle Secreta 1")})
	require.NoError(t, err)
	answer = http.StatusBadRequest
	_, err = client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("q")})
	require.Error(t, err)

	require.Len(t, spans.Ended(), 2)
	sent, failed := spans.Ended()[0], spans.Ended()[1]
	require.Equal(t, "SQS/SendMessage", sent.Name())
	require.Equal(t, root.SpanContext().SpanID(), sent.Parent().SpanID())
	require.Equal(t, codes.Unset, sent.Status().Code)
	require.Equal(t, codes.Error, failed.Status().Code)
	require.Empty(t, header.Get("traceparent"), "AWS reads none")
	for _, a := range sent.Attributes() {
		require.NotContains(t, a.Value.String(), "Secreta")
	}
}
