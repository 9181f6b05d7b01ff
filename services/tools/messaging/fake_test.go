package messaging_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/internal/awsclient"
	"tandem/services/tools/messaging"
)

const stackID = "arn:aws:cloudformation:us-east-1:000000000000:stack/tandem/1"

// fake is an account with at most one stack, as far as the tool looks at it:
// CloudFormation and SNS in the query protocol, SQS and Kinesis in JSON,
// CloudWatch in CBOR.
type fake struct {
	t  *testing.T
	mu sync.Mutex

	status     string   // of the stack; empty: there is none
	next       []string // statuses that the following looks find
	parameters map[string]string
	events     []event // the oldest first
	failing    []event // what the next change meets
	ends       string  // how the next change ends, where not well
	// What exists, by name; keep stays when the stack is deleted, late goes
	// after that many listings.
	queues, streams, topics, alarms, keep []string
	late                                  int
	retention, shards                     int
	calls                                 []string
}

type event struct{ id, kind, status, reason string }

func newFake(t *testing.T) *fake {
	return &fake{t: t, parameters: map[string]string{"Shards": "4", "StreamRetentionHours": "24", "RideRequestVisibilitySeconds": "30", "NotificationVisibilitySeconds": "30"}, retention: 24, shards: 4}
}

func (f *fake) config() messaging.Config {
	server := httptest.NewServer(f)
	f.t.Cleanup(server.Close)
	return messaging.Config{
		AWS:     awsclient.Config{Endpoint: server.URL, Region: "eu-west-1"},
		Backend: profile.AWS, PollEvery: 1, GoneIn: 1,
	}
}

// made is how many calls there were of an operation.
func (f *fake) made(operation string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if strings.HasSuffix(c, ":"+operation) {
			n++
		}
	}
	return n
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		f.t.Error(err)
	}
	if target, operation, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		f.calls = append(f.calls, map[bool]string{true: "sqs:", false: "kinesis:"}[target == "AmazonSQS"]+operation)
		f.json(w, operation, body)
		return
	}
	if operation := path.Base(r.URL.Path); operation == "DescribeAlarms" {
		f.calls = append(f.calls, "cloudwatch:"+operation)
		var alarms cbor.List
		for _, a := range f.alarms {
			alarms = append(alarms, cbor.Map{"AlarmName": cbor.String(a)})
		}
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.Header().Set("Content-Type", "application/cbor")
		_, _ = w.Write(cbor.Encode(cbor.Map{"MetricAlarms": alarms}))
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		f.t.Error(err)
	}
	operation := form.Get("Action")
	f.calls = append(f.calls, map[bool]string{true: "sns:", false: "cloudformation:"}[operation == "ListTopics"]+operation)
	w.Header().Set("Content-Type", "text/xml")
	answer, refusal := f.query(operation, form)
	if refusal != "" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>%s</Message></Error></ErrorResponse>", refusal)
		return
	}
	_, _ = fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", operation, answer)
}

func (f *fake) query(operation string, form url.Values) (answer, refusal string) {
	switch operation {
	case "DescribeStacks":
		return f.describe(form.Get("StackName"))
	case "DescribeStackEvents":
		return f.history(), ""
	case "CreateStack":
		f.take(form)
		f.change("CREATE", "ROLLBACK_IN_PROGRESS")
	case "UpdateStack":
		if !f.take(form) {
			return "", "No updates are to be performed."
		}
		f.change("UPDATE", "UPDATE_ROLLBACK_IN_PROGRESS")
	case "DeleteStack":
		f.change("DELETE", "")
	case "ListTopics":
		out := "<Topics>"
		for _, n := range f.topics {
			out += "<member><TopicArn>arn:aws:sns:us-east-1:000000000000:" + n + "</TopicArn></member>"
		}
		return out + "</Topics>", ""
	default:
		f.t.Errorf("the tool calls %s", operation)
	}
	return "<StackId>" + stackID + "</StackId>", ""
}

// take takes parameters over and reports whether any differs.
func (f *fake) take(form url.Values) (changed bool) {
	for n := 1; form.Has(fmt.Sprintf("Parameters.member.%d.ParameterKey", n)); n++ {
		prefix := fmt.Sprintf("Parameters.member.%d.", n)
		key, value := form.Get(prefix+"ParameterKey"), form.Get(prefix+"ParameterValue")
		if form.Get(prefix+"UsePreviousValue") != "true" && f.parameters[key] != value {
			f.parameters[key], changed = value, true
		}
	}
	return changed
}

func (f *fake) change(verb, rollingBack string) {
	f.status = verb + "_IN_PROGRESS"
	f.say(event{"tandem", "AWS::CloudFormation::Stack", f.status, ""})
	end := verb + "_COMPLETE"
	f.next = nil
	if f.ends != "" {
		end = f.ends
		if rollingBack != "" {
			f.next = []string{rollingBack}
		}
	}
	f.next = append(f.next, end)
	for _, e := range f.failing {
		f.say(e)
	}
	f.ends, f.failing = "", nil
}

func (f *fake) say(e event) { f.events = append(f.events, e) }

func (f *fake) describe(name string) (answer, refusal string) {
	if len(f.next) > 0 && name == stackID {
		f.status, f.next = f.next[0], f.next[1:]
		if f.status == "DELETE_COMPLETE" {
			f.queues, f.streams, f.topics, f.alarms = f.keep, nil, nil, nil
		}
	}
	if f.status == "" || f.status == "DELETE_COMPLETE" && name != stackID {
		return "", "Stack with id " + name + " does not exist"
	}
	out := "<Stacks><member><StackId>" + stackID + "</StackId><StackName>tandem</StackName><StackStatus>" + f.status + "</StackStatus><Parameters>"
	for k, v := range f.parameters {
		out += "<member><ParameterKey>" + k + "</ParameterKey><ParameterValue>" + v + "</ParameterValue></member>"
	}
	return out + "</Parameters></member></Stacks>", ""
}

func (f *fake) history() string {
	out := "<StackEvents>"
	for i, e := range slices.Backward(f.events) {
		out += fmt.Sprintf("<member><StackId>%s</StackId><EventId>e%d</EventId><LogicalResourceId>%s</LogicalResourceId><ResourceType>%s</ResourceType><ResourceStatus>%s</ResourceStatus><ResourceStatusReason>%s</ResourceStatusReason><Timestamp>2026-11-24T12:00:00Z</Timestamp></member>",
			stackID, i, e.id, e.kind, e.status, e.reason)
	}
	return out + "</StackEvents>"
}

func (f *fake) json(w http.ResponseWriter, operation string, body []byte) {
	var in struct{ RetentionPeriodHours int }
	_ = json.Unmarshal(body, &in)
	out := map[string]any{}
	switch operation {
	case "ListQueues":
		var urls []string
		for _, q := range f.queues {
			urls = append(urls, "https://sqs.us-east-1.amazonaws.com/000000000000/"+q)
		}
		out["QueueUrls"] = urls
		if f.late--; f.late == 0 {
			f.queues = nil
		}
	case "ListStreams":
		out["StreamNames"], out["HasMoreStreams"] = f.streams, false
	case "DescribeStreamSummary":
		out["StreamDescriptionSummary"] = map[string]any{"StreamName": "driver-locations", "StreamARN": "arn:s", "StreamStatus": "ACTIVE", "RetentionPeriodHours": f.retention, "OpenShardCount": f.shards}
	case "IncreaseStreamRetentionPeriod", "DecreaseStreamRetentionPeriod":
		f.retention = in.RetentionPeriodHours
	case "ListStreamConsumers":
		out["Consumers"] = []map[string]any{{"ConsumerName": "mapfeed-1"}, {"ConsumerName": "somebody-elses"}}
	default:
		f.t.Errorf("the tool calls %s", operation)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	require.NoError(f.t, json.NewEncoder(w).Encode(out))
}
