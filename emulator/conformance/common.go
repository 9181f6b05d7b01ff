package conformance

import (
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"
)

func commonCases() []testCase {
	return []testCase{
		promise("the caller has an identity", stsAPI+"API_GetCallerIdentity.html", "Account, Arn and UserId of the caller.", callerIdentity),
		promise("an operation that isn't one is refused", kinesisAPI+"CommonErrors.html",
			"The action or operation requested is invalid: a client's error, with a code.", unknownOperation),
		promise("a body that is no JSON is refused", kinesisAPI+"CommonErrors.html",
			"A malformed request is a client's error, with a code (SerializationException).", malformed),
	}
}

func callerIdentity(c *caseRun) {
	out, err := c.sts.GetCallerIdentity(c.ctx, &sts.GetCallerIdentityInput{})
	require.NoError(c, err)
	require.Len(c, *out.Account, 12)
	require.True(c, strings.HasPrefix(*out.Arn, "arn:aws"), *out.Arn)
	require.NotEmpty(c, *out.UserId)
}

// post sends a body to an operation without the SDK, which knows neither bad
// operations nor bad bodies, and unsigned: on AWS that alone is refused too.
func (c *caseRun) post(target, contentType, body string) (status int, answer string) {
	endpoint := c.at.Endpoint
	if endpoint == "" {
		endpoint = "https://" + strings.ToLower(strings.Split(target, "_")[0]) + ".us-east-1.amazonaws.com/"
	}

	req, err := http.NewRequestWithContext(c.ctx, http.MethodPost, endpoint, strings.NewReader(body))
	require.NoError(c, err)

	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/"+strings.ToLower(strings.Split(target, "_")[0])+"/aws4_request, SignedHeaders=host, Signature=0")

	resp, err := http.DefaultClient.Do(req)
	require.NoError(c, err)
	defer func() { _ = resp.Body.Close() }()

	b, err := io.ReadAll(resp.Body)
	require.NoError(c, err)

	return resp.StatusCode, string(b)
}

func unknownOperation(c *caseRun) {
	for _, one := range [][2]string{{"Kinesis_20131202.Fly", "application/x-amz-json-1.1"}, {"AmazonSQS.Fly", "application/x-amz-json-1.0"}} {
		status, answer := c.post(one[0], one[1], "{}")
		require.Equal(c, 4, status/100, "%s: status %d: %s", one[0], status, answer)
		require.Contains(c, answer, "__type", one[0])
	}
}

func malformed(c *caseRun) {
	status, answer := c.post("Kinesis_20131202.ListStreams", "application/x-amz-json-1.1", "{")
	require.Equal(c, 4, status/100, "status %d: %s", status, answer)
}
