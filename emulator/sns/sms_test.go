package sns_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/stretchr/testify/require"
)

func TestTextsAreShownAsLocalStackShowsThem(t *testing.T) {
	b := start(t, "")
	ask := func(method, query string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, b.url+"/_aws/sns/sms-messages"+query, nil)
		require.NoError(t, err)

		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}

	ids := []string{}
	for _, number := range []string{"+15551234567", "+15551234568"} {
		out, err := b.Publish(t.Context(), &sdk.PublishInput{PhoneNumber: &number, Message: aws.String("hello"),
			MessageAttributes: map[string]types.MessageAttributeValue{"AWS.SNS.SMS.SenderID": {DataType: aws.String("String"), StringValue: aws.String("Tandem")}}})
		require.NoError(t, err)

		ids = append(ids, *out.MessageId)
	}
	shown := func(i int) string {
		// The order and the nulls are LocalStack 4.14.0's.
		return `"+1555123456` + string(rune('7'+i)) + `":[{"PhoneNumber":"+1555123456` + string(rune('7'+i)) + `","TopicArn":null,"SubscriptionArn":null,"MessageId":"` + ids[i] +
			`","Message":"hello","MessageAttributes":{"AWS.SNS.SMS.SenderID":{"DataType":"String","StringValue":"Tandem"}},"MessageStructure":null,"Subject":null}]`
	}

	_, body := ask(http.MethodGet, "")
	require.Equal(t, `{"region":"us-east-1","sms_messages":{`+shown(0)+`,`+shown(1)+`}}`, strings.TrimSpace(body))
	_, body = ask(http.MethodGet, "?phoneNumber=%2B15551234568&accountId=000000000000&region=us-east-1")
	require.JSONEq(t, `{"region":"us-east-1","sms_messages":{`+shown(1)+`}}`, body)

	_, body = ask(http.MethodGet, "?phoneNumber=%2B1&region=eu-west-1")
	require.JSONEq(t, `{"region":"eu-west-1","sms_messages":{"+1":[]}}`, body)
	_, body = ask(http.MethodGet, "?accountId=111111111111")
	require.JSONEq(t, `{"region":"us-east-1","sms_messages":{}}`, body)

	code, _ := ask(http.MethodDelete, "?phoneNumber=%2B15551234567")
	require.Equal(t, http.StatusNoContent, code)
	_, body = ask(http.MethodGet, "")
	require.JSONEq(t, `{"region":"us-east-1","sms_messages":{`+shown(1)+`}}`, body)

	ask(http.MethodDelete, "")
	_, body = ask(http.MethodGet, "")
	require.JSONEq(t, `{"region":"us-east-1","sms_messages":{}}`, body)
}
