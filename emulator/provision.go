package emulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tandem/emulator/wire"
)

const (
	kindQueue        = "AWS::SQS::Queue"
	kindQueuePolicy  = "AWS::SQS::QueuePolicy"
	kindStream       = "AWS::Kinesis::Stream"
	kindConsumer     = "AWS::Kinesis::StreamConsumer"
	kindTopic        = "AWS::SNS::Topic"
	kindSubscription = "AWS::SNS::Subscription"
	kindAlarm        = "AWS::CloudWatch::Alarm"
)

// kinds returns the resource types that the emulator knows, with the properties
// of each. Alarms are read and ignored: the emulator has no CloudWatch.
func kinds() map[string][]string {
	return map[string][]string{
		kindQueue: {
			"QueueName", "FifoQueue", "VisibilityTimeout", "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod",
			"ReceiveMessageWaitTimeSeconds", "RedrivePolicy", "RedriveAllowPolicy", "SqsManagedSseEnabled", "KmsMasterKeyId",
			"KmsDataKeyReusePeriodSeconds", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
		},
		kindQueuePolicy:  {"PolicyDocument", "Queues"},
		kindStream:       {"Name", "ShardCount", "RetentionPeriodHours", "StreamEncryption", "StreamModeDetails"},
		kindConsumer:     {"ConsumerName", "StreamARN"},
		kindTopic:        {"TopicName"},
		kindSubscription: {"TopicArn", "Protocol", "Endpoint", "RawMessageDelivery"},
		kindAlarm: {
			"AlarmName", "AlarmDescription", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods",
			"DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "AlarmActions", "OKActions",
		},
	}
}

// properties evaluates a resource's properties.
func (t *template) properties(r *resource) (properties, error) {
	out := properties{}
	for name, n := range r.properties {
		v, err := t.value(n)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", r.id, name, err)
		}
		out[name] = v
	}

	// These are found by their names, which must be texts of the template's own.
	if r.kind == kindQueue || r.kind == kindStream || r.kind == kindTopic {
		_, err := t.name(r)
		return out, err
	}
	return out, nil
}

type properties map[string]any

// text returns a property as text; a map or a list as JSON.
func (p properties) text(name string) string {
	switch v := p[name].(type) {
	case nil:
		return ""
	case map[string]any, []any:
		b, _ := json.Marshal(v) // of texts, numbers and booleans: cannot fail
		return string(b)
	default:
		return fmt.Sprint(v)
	}
}

// number returns a whole number, or otherwise where the property is not set.
func (p properties) number(name string, otherwise int) (int, error) {
	text := p.text(name)
	if text == "" {
		return otherwise, nil
	}

	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is no whole number", name, text)
	}
	return n, nil
}

// inner returns a property that is a map of texts with these names.
func (p properties) inner(name string, known ...string) (map[string]string, error) {
	m, ok := p[name].(map[string]any)
	if !ok && p[name] != nil {
		return nil, fmt.Errorf("%s: names with values were expected", name)
	}

	out := map[string]string{}
	for k := range m {
		if !slices.Contains(known, k) {
			return nil, fmt.Errorf("%s: %s: the emulator does not know it", name, k)
		}
		out[k] = properties(m).text(k)
	}
	return out, nil
}

// provision creates what the template names and does not exist yet.
func (e *emulator) provision(t *template) error {
	create := map[string]func(properties) error{
		kindQueue: e.provisionQueue, kindQueuePolicy: e.provisionPolicy, kindStream: e.provisionStream, kindConsumer: e.provisionConsumer,
		kindTopic: e.provisionTopic, kindSubscription: e.provisionSubscription, kindAlarm: func(properties) error { return nil },
	}

	for _, r := range t.resources {
		p, err := t.properties(r)
		if err == nil {
			err = create[r.kind](p)
		}
		if err != nil {
			return fmt.Errorf("template: %s: %w", r.id, err)
		}
	}
	return nil
}

// provisionQueue creates a queue, or sets the attributes of an existing one to
// the template's.
func (e *emulator) provisionQueue(p properties) error {
	name, attributes := p.text("QueueName"), map[string]string{}
	for k := range p {
		if k != "QueueName" && k != "FifoQueue" {
			attributes[k] = p.text(k)
		}
	}

	if strings.HasSuffix(name, ".fifo") != (p.text("FifoQueue") == "true") {
		return errors.New("FifoQueue is true and the name ends with .fifo, or neither")
	}

	err := e.queues.Create(name, attributes)
	var exists *wire.Error
	if errors.As(err, &exists) && exists.Code == "QueueNameExists" {
		return e.queues.SetAttributes(name, attributes)
	}
	return err
}

// provisionPolicy sets the policy as an attribute of the queues. It refuses
// nobody: the emulator knows no identities.
func (e *emulator) provisionPolicy(p properties) error {
	urls, ok := p["Queues"].([]any)
	if !ok || len(urls) == 0 {
		return errors.New("it names no Queues")
	}

	for _, u := range urls {
		url := fmt.Sprint(u)
		name := url[strings.LastIndexByte(url, '/')+1:]
		if err := e.queues.SetAttributes(name, map[string]string{"Policy": p.text("PolicyDocument")}); err != nil {
			return err
		}
	}
	return nil
}

// provisionStream creates a stream. An existing one keeps its shards and its
// retention, which calls may have changed since.
func (e *emulator) provisionStream(p properties) error {
	name := p.text("Name")
	encryption, err := p.inner("StreamEncryption", "EncryptionType", "KeyId")
	if err != nil {
		return err
	}

	mode, err := p.inner("StreamModeDetails", "StreamMode")
	if err != nil {
		return err
	}
	if mode["StreamMode"] != "" && mode["StreamMode"] != "PROVISIONED" {
		return fmt.Errorf("StreamMode: the emulator has PROVISIONED alone, not %s", mode["StreamMode"])
	}

	shards, err := p.number("ShardCount", 1)
	if err != nil {
		return err
	}
	hours, err := p.number("RetentionPeriodHours", 24)
	if err != nil {
		return err
	}

	if !e.streams.Has(name) {
		if err := e.streams.Create(name, shards, int32(min(hours, 1<<30))); err != nil {
			return err
		}
	}
	return e.streams.SetEncryption(name, encryption["KeyId"])
}

func (e *emulator) provisionConsumer(p properties) error {
	stream := p.text("StreamARN")
	return e.streams.Register(stream[strings.LastIndexByte(stream, '/')+1:], p.text("ConsumerName"))
}

func (e *emulator) provisionTopic(p properties) error {
	_, err := e.topics.CreateTopic(p.text("TopicName"), nil)
	return err
}

func (e *emulator) provisionSubscription(p properties) error {
	_, err := e.topics.Subscribe(p.text("TopicArn"), p.text("Protocol"), p.text("Endpoint"), map[string]string{"RawMessageDelivery": cmp.Or(p.text("RawMessageDelivery"), "false")})
	return err
}
