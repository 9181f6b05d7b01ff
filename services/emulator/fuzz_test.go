package emulator

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzRequest sends any body to any operation: the emulator answers, and never
// with its own failure.
func FuzzRequest(f *testing.F) {
	for target, body := range map[string]string{
		"AmazonSQS.SendMessageBatch":        `{"QueueUrl":"/ride-requests","Entries":[{"Id":"1","MessageBody":"x","DelaySeconds":1}]}`,
		"AmazonSQS.SendMessage":             `{"QueueUrl":"/notifications.fifo","MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"d"}`,
		"AmazonSQS.ReceiveMessage":          `{"QueueUrl":"/ride-requests","MaxNumberOfMessages":10,"WaitTimeSeconds":0,"VisibilityTimeout":0}`,
		"AmazonSQS.ChangeMessageVisibility": `{"QueueUrl":"/ride-requests","ReceiptHandle":"cmlkZS1yZXF1ZXN0cyB4IDE=","VisibilityTimeout":0}`,
		"AmazonSQS.DeleteMessageBatch":      `{"QueueUrl":"/ride-requests","Entries":[{"Id":"1","ReceiptHandle":"x"}]}`,
		"AmazonSQS.CreateQueue":             `{"QueueName":"q","Attributes":{"RedrivePolicy":"{}"}}`,
		"AmazonSQS.StartMessageMoveTask":    `{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:ride-requests-dlq"}`,
		"Kinesis_20131202.PutRecords":       `{"StreamName":"driver-locations","Records":[{"Data":"eA==","PartitionKey":"k","ExplicitHashKey":"0"}]}`,
		"Kinesis_20131202.GetShardIterator": `{"StreamName":"driver-locations","ShardId":"shardId-000000000000","ShardIteratorType":"AT_TIMESTAMP","Timestamp":1.5}`,
		"Kinesis_20131202.GetRecords":       `{"ShardIterator":"eyJuIjoiZHJpdmVyLWxvY2F0aW9ucyJ9","Limit":1}`,
		"Kinesis_20131202.ListShards":       `{"StreamName":"driver-locations"}`,
	} {
		f.Add(target, body)
	}
	cfg := Default()
	cfg.Limits = false
	e, err := open(slog.New(slog.DiscardHandler), cfg)
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, e.close()) })
	h := e.handler()
	f.Fuzz(func(t *testing.T, target, body string) {
		if strings.Contains(target, "Stream") || strings.Contains(target, "Shard") && !strings.Contains(target, "ListShards") && !strings.Contains(target, "GetShardIterator") {
			return // topology: thousands of streams would fill the disk
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond) // a long poll waits, rightly
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", target)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		require.NotEqual(t, http.StatusInternalServerError, rec.Code, rec.Body.String())
	})
}
