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

// FuzzRequest sends any body to any operation, some of them twice by a fault:
// the emulator answers, and never with its own failure.
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
		"Kinesis_20131202.SubscribeToShard": `{"ConsumerARN":"arn:aws:kinesis:us-east-1:000000000000:stream/driver-locations/consumer/mapfeed-1:1","ShardId":"shardId-000000000000","StartingPosition":{"Type":"LATEST"}}`,
		"Kinesis_20131202.DescribeStream":   `{"StreamName":"driver-locations","Limit":1}`,
		"AmazonSQS.SetQueueAttributes":      `{"QueueUrl":"/ride-requests-dlq","Attributes":{"RedriveAllowPolicy":"{\"redrivePermission\":\"denyAll\"}"}}`,
		"":                                  "Action=Publish&TopicArn=arn:aws:sns:us-east-1:000000000000:tandem-alarms&Message=x",
	} {
		f.Add(target, body)
	}

	cfg := Default()
	cfg.Limits, cfg.Faults = false, true
	e, err := open(slog.New(slog.DiscardHandler), cfg)
	require.NoError(f, err)

	f.Cleanup(func() { require.NoError(f, e.close()) })
	h := e.handler()
	rules := httptest.NewRequest(http.MethodPut, "/_aws/faults", strings.NewReader(`[{"operation":"*","kind":"duplicate","probability":0.3},{"operation":"ReceiveMessage","kind":"reorder"}]`))
	rules.Header.Set("Content-Type", "application/json")
	rules.RemoteAddr = "127.0.0.1:1"
	taken := httptest.NewRecorder()
	h.ServeHTTP(taken, rules)
	require.Equal(f, http.StatusOK, taken.Code, taken.Body.String())

	f.Fuzz(func(t *testing.T, target, body string) {
		for _, grows := range []string{"CreateStream", "DeleteStream", "SplitShard", "MergeShards", "UpdateShardCount"} {
			if strings.HasSuffix(target, grows) {
				return // topology: thousands of shards would fill the disk
			}
		}

		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond) // a long poll waits, rightly
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
		if r.Header.Set("X-Amz-Target", target); target == "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}

		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		require.NotEqual(t, http.StatusInternalServerError, rec.Code, rec.Body.String())
	})
}
