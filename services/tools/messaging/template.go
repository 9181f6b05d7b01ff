package messaging

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The kinds of resources that are looked for by name.
const (
	kindQueue    = "AWS::SQS::Queue"
	kindStream   = "AWS::Kinesis::Stream"
	kindConsumer = "AWS::Kinesis::StreamConsumer"
	kindTopic    = "AWS::SNS::Topic"
	kindAlarm    = "AWS::CloudWatch::Alarm"

	// These have no names, and are no more once their queue or topic is gone.
	kindQueuePolicy  = "AWS::SQS::QueuePolicy"
	kindSubscription = "AWS::SNS::Subscription"
)

// template is what must be known of a CloudFormation template to check its
// parameters and to find what it makes. CloudFormation judges the rest.
type template struct {
	parameters []string
	resources  []resource
}

// resource is one resource and its physical name.
type resource struct {
	id, kind, name string
	properties     map[string]yaml.Node
}

func readTemplate(raw []byte) (template, error) {
	var doc struct {
		Parameters map[string]yaml.Node `yaml:"Parameters"`
		Resources  map[string]struct {
			Type       string               `yaml:"Type"`
			Properties map[string]yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return template{}, fmt.Errorf("messaging: template: %w", err)
	}

	var t template
	for name := range doc.Parameters {
		t.parameters = append(t.parameters, name)
	}
	slices.Sort(t.parameters)

	// Every resource must have a name of its own: what CloudFormation names by itself
	// could not be looked for after a delete.
	names := map[string]string{kindQueue: "QueueName", kindStream: "Name", kindConsumer: "ConsumerName", kindTopic: "TopicName", kindAlarm: "AlarmName"}
	for id, r := range doc.Resources {
		if r.Type == kindQueuePolicy || r.Type == kindSubscription {
			continue
		}
		property, known := names[r.Type]
		name := r.Properties[property]
		if !known || name.Kind != yaml.ScalarNode || strings.HasPrefix(name.Tag, "!Ref") || strings.HasPrefix(name.Tag, "!Sub") {
			return template{}, fmt.Errorf("messaging: template: %s (%s) has no plain name: nobody could prove that it is gone", id, r.Type)
		}
		t.resources = append(t.resources, resource{id: id, kind: r.Type, name: name.Value, properties: r.Properties})
	}
	if len(t.resources) == 0 {
		return template{}, errors.New("messaging: template: it has no Resources")
	}

	slices.SortFunc(t.resources, func(a, b resource) int { return strings.Compare(a.kind+a.name, b.kind+b.name) })
	return t, nil
}

// check returns an error that names a given parameter which the template does not
// have.
func (t template) check(given map[string]string) error {
	for name := range given {
		if !slices.Contains(t.parameters, name) {
			return fmt.Errorf("messaging: there is no parameter %s; there are %s", name, strings.Join(t.parameters, ", "))
		}
	}
	return nil
}

// named returns the physical names of one kind.
func (t template) named(kind string) (names []string) {
	for _, r := range t.resources {
		if r.kind == kind {
			names = append(names, r.name)
		}
	}
	return names
}

// property returns a property's text: a parameter's value where it refers to one.
func (r resource) property(name string, parameters map[string]string) string {
	n := r.properties[name]
	if n.Tag == "!Ref" {
		return parameters[n.Value]
	}
	return n.Value
}
