package faults

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func operations() map[string][]string {
	return map[string][]string{
		"sqs": {"SendMessage", "ReceiveMessage"}, "kinesis": {"PutRecords", "GetRecords", subscribe}, "sns": {"Publish"}, "sts": {"GetCallerIdentity"},
	}
}

// A bad rule is refused, and the answer says what is allowed.
func TestBadRulesAreRefused(t *testing.T) {
	for rules, says := range map[string]string{
		`{}`:    "no list of rules",
		`[{}]`:  "operation is missing",
		`[] []`: "follows the list",
		`[{"operation":"PutRecords","kind":"reset","chance":1}]`:                                                  `unknown field "chance"`,
		`[{"operation":"PutRecord s","kind":"reset"}]`:                                                            `no operation "PutRecord s"`,
		`[{"operation":"PutRecords","kind":"reset","service":"sqs"}]`:                                             `no operation "PutRecords"`,
		`[{"operation":"PutRecords","kind":"reset","service":"s3"}]`:                                              "one of kinesis, sns, sqs, sts",
		`[{"operation":"PutRecords","kind":"explode"}]`:                                                           "one of error, latency, lost_answer, reset, duplicate, reorder, expired_iterator",
		`[{"operation":"PutRecords","kind":"reset"},{"operation":"*","kind":"error"}]`:                            "rule 2: an error has a code",
		`[{"operation":"PutRecords","kind":"error","code":"<b>"}]`:                                                "an error has a code",
		`[{"operation":"PutRecords","kind":"error","code":"X","status":200}]`:                                     "400 to 599, not 200",
		`[{"operation":"PutRecords","kind":"latency"}]`:                                                           "from 1 to 60000, not 0",
		`[{"operation":"PutRecords","kind":"latency","latency_ms":60001}]`:                                        "from 1 to 60000",
		`[{"operation":"PutRecords","kind":"reset","latency_ms":5}]`:                                              "latency_ms is for the kind latency",
		`[{"operation":"PutRecords","kind":"reset","code":"X"}]`:                                                  "are for the kind error",
		`[{"operation":"PutRecords","kind":"reset","probability":1.5}]`:                                           "0 to 1, not 1.5",
		`[{"operation":"PutRecords","kind":"reset","probability":-0.5}]`:                                          "0 to 1, not -0.5",
		`[{"operation":"PutRecords","kind":"reset","count":-1}]`:                                                  "0 (no bound) or more",
		`[{"operation":"PutRecords","kind":"reset","seed":-1}]`:                                                   "seed",
		`[{"operation":"GetRecords","kind":"reorder"}]`:                                                           "Kinesis and FIFO queues never reorder",
		`[{"operation":"*","kind":"reorder"}]`:                                                                    "ReceiveMessage alone",
		`[{"operation":"PutRecords","kind":"expired_iterator"}]`:                                                  "GetRecords alone",
		`[{"operation":"SubscribeToShard","kind":"duplicate"}]`:                                                   "has none that ends",
		`[{"operation":"SubscribeToShard","kind":"lost_answer"}]`:                                                 "has none that ends",
		"[" + strings.Repeat(`{"operation":"*","kind":"reset"},`, maxRules) + `{"operation":"*","kind":"reset"}]`: "there can be 100 rules, not 101",
	} {
		table := New(Options{On: true, Operations: operations()})

		status, body := ask(table, http.MethodPut, rules)
		require.Equal(t, http.StatusBadRequest, status, rules)
		require.Contains(t, strings.ReplaceAll(body, `\"`, `"`), says, rules)
		require.True(t, table.empty(), "none of a bad list is taken")
	}
}

func ask(table *Table, method, body string, change ...func(*http.Request)) (int, string) {
	r := httptest.NewRequest(method, "/_aws/faults", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.RemoteAddr = "127.0.0.1:5"
	for _, c := range change {
		c(r)
	}

	w := httptest.NewRecorder()
	table.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestRulesAreReplacedAddedShownAndCleared(t *testing.T) {
	table := New(Options{On: true, Operations: operations()})
	const one, two = `{"operation":"PutRecords","kind":"reset","probability":0.5,"seed":3}`, `{"service":"sqs","operation":"*","kind":"latency","latency_ms":5,"count":2,"resource":"ride"}`
	with := func(hits, rule string) string { return strings.TrimSuffix(rule, "}") + `,"hits":` + hits + `}` }
	for _, step := range []struct{ method, body, shows string }{
		{http.MethodGet, "", "[]"},
		{http.MethodPut, "[" + one + "]", "[" + with("0", one) + "]"},
		{http.MethodPost, "[" + two + "]", "[" + with("0", one) + "," + with("0", two) + "]"},
		{http.MethodPut, "[" + two + "]", "[" + with("0", two) + "]"},
		{http.MethodGet, "", "[" + with("0", two) + "]"},
		{http.MethodDelete, "", "[]"},
	} {
		status, body := ask(table, step.method, step.body)
		require.Equal(t, http.StatusOK, status)
		require.JSONEq(t, step.shows, body)
	}
}

func TestRulesAreTakenFromThisMachineAlone(t *testing.T) {
	const rules = `[{"operation":"*","kind":"reset"}]`
	table := New(Options{On: true, Operations: operations()})
	status, body := ask(table, http.MethodPut, rules, func(r *http.Request) { r.RemoteAddr = "192.0.2.1:5" })
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "own machine")

	status, _ = ask(table, http.MethodPut, rules, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") })
	require.Equal(t, http.StatusUnsupportedMediaType, status)
	require.True(t, table.empty())
	status, _ = ask(table, http.MethodPut, rules, func(r *http.Request) { r.RemoteAddr = "[::1]:5" })
	require.Equal(t, http.StatusOK, status)

	off := New(Options{Operations: operations()})
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		status, body = ask(off, method, rules)
		require.Equal(t, http.StatusNotFound, status)
		require.Contains(t, body, "--faults")
	}
}

// The same seed hits the same requests; a count bounds the hits; 0 never hits
// and 1 always.
func TestHitsAreOfTheSeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom([]float64{0, 0.1, 0.5, 1}).Draw(t, "probability")
		r := Rule{Operation: "PutRecords", Kind: kindReset, Probability: &p, Seed: rapid.Uint64().Draw(t, "seed"), Count: rapid.IntRange(0, 20).Draw(t, "count")}
		run := func(others ...Rule) (pattern []bool, hits int) {
			table := New(Options{On: true})
			require.NoError(t, table.add(append(others, r), true))

			for range 200 {
				table.draw(call{service: "sqs", operation: "SendMessage"}) // not what the rule is about
				pattern = append(pattern, len(table.draw(call{service: "kinesis", operation: "PutRecords"})) > 0)
			}
			return pattern, table.show()[len(others)].Hits
		}

		first, hits := run()
		second, _ := run(Rule{Operation: "SendMessage", Kind: kindReset})
		require.Equal(t, first, second)
		switch {
		case p == 0:
			require.Zero(t, hits)
		case r.Count > 0:
			require.LessOrEqual(t, hits, r.Count)
		case p == 1:
			require.Equal(t, 200, hits)
		default:
			require.InDelta(t, 200*p, hits, 45)
		}
	})
}

// FuzzRules decodes any list: what is taken is sound and can be shown again.
func FuzzRules(f *testing.F) {
	f.Add(`[{"operation":"PutRecords","kind":"error","code":"InternalFailure","status":500,"message":"m","probability":0.5,"seed":1,"count":3,"resource":"r"}]`)
	f.Add(`[{"service":"sqs","operation":"*","kind":"latency","latency_ms":5}]`)
	f.Add(`[{"operation":"GetRecords","kind":"expired_iterator","probability":1e-9}]`)
	f.Fuzz(func(t *testing.T, rules string) {
		table := New(Options{On: true, Operations: operations()})
		status, body := ask(table, http.MethodPut, rules)
		if status == http.StatusOK {
			for _, e := range table.show() {
				require.NoError(t, e.check(operations()))
			}

			_, again := ask(table, http.MethodGet, "")
			require.Equal(t, body, again)
			table.draw(call{service: "kinesis", operation: "PutRecords"})
		} else {
			require.Equal(t, http.StatusBadRequest, status)
			require.True(t, table.empty())
		}
	})
}

// FuzzCall reads what any request is about.
func FuzzCall(f *testing.F) {
	f.Add("AmazonSQS.SendMessage", `{"QueueUrl":"http://h/0/q"}`, "q")
	f.Add("Kinesis_20131202.PutRecords", `{"StreamARN":"arn:aws:kinesis:us-east-1:0:stream/s"}`, "s")
	f.Add("Kinesis_20131202.SubscribeToShard", `{"ConsumerARN":"arn:aws:kinesis:us-east-1:0:stream/s/consumer/c:1"}`, "s")
	f.Add("Kinesis_20131202.GetRecords", `{"ShardIterator":"it"}`, "of it")
	f.Add("", "Action=Publish&TopicArn=arn:aws:sns:us-east-1:0:t", "t")
	f.Add("", "Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-1:0:t:id", "t")
	f.Fuzz(func(t *testing.T, target, body, resource string) {
		table := New(Options{StreamOf: func(it string) string { return "of " + it }})
		r := httptest.NewRequest(http.MethodPost, "/", nil)

		r.Header.Set("X-Amz-Target", target)
		c := table.callOf(r, []byte(body))
		if strings.HasPrefix(t.Name(), "FuzzCall/seed#") {
			require.Equal(t, resource, c.resource)
		}
	})
}
