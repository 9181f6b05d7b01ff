package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"tandem/services/emulator/wire"
)

// resource is one entry of the template's Resources.
type resource struct {
	id   string
	kind string
	yaml.Node
}

// template is a CloudFormation template, as far as messaging.yaml uses it:
// Parameters with defaults, !Ref and !GetAtt X.Arn.
type template struct {
	parameters map[string]string
	resources  []resource
}

func readTemplate(raw []byte, parameters map[string]string) (*template, error) {
	var doc struct {
		Parameters map[string]struct {
			Default string `yaml:"Default"`
		} `yaml:"Parameters"`
		Resources yaml.Node `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	t := &template{parameters: map[string]string{}}
	for name, p := range doc.Parameters {
		t.parameters[name] = p.Default
	}
	for name, v := range parameters {
		if _, ok := t.parameters[name]; !ok {
			return nil, fmt.Errorf("template: there is no parameter %s", name)
		}
		t.parameters[name] = v
	}
	for i := 0; i+1 < len(doc.Resources.Content); i += 2 {
		var head struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		}
		id := doc.Resources.Content[i].Value
		if err := doc.Resources.Content[i+1].Decode(&head); err != nil {
			return nil, fmt.Errorf("template: %s: %w", id, err)
		}
		switch head.Type {
		case "AWS::SQS::Queue", "AWS::Kinesis::Stream":
		default:
			return nil, fmt.Errorf("template: %s is a %s, which the emulator does not know", id, head.Type)
		}
		t.resources = append(t.resources, resource{id, head.Type, head.Properties})
	}
	return t, nil
}

// value works out a property: text, numbers and booleans as text, maps as JSON.
func (t *template) value(n *yaml.Node) (any, error) {
	switch {
	case n.Tag == "!Ref":
		v, ok := t.parameters[n.Value]
		if !ok {
			return nil, fmt.Errorf("!Ref %s names no parameter", n.Value)
		}
		return v, nil
	case n.Tag == "!GetAtt":
		id, ok := strings.CutSuffix(n.Value, ".Arn")
		for _, r := range t.resources {
			if ok && r.id == id && r.kind == "AWS::SQS::Queue" {
				name, err := t.text(r, "QueueName")
				return "arn:aws:sqs:us-east-1:000000000000:" + name, err
			}
		}
		return nil, fmt.Errorf("!GetAtt %s: only a queue's Arn is known", n.Value)
	case n.Kind == yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := t.value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			out[n.Content[i].Value] = v
		}
		return out, nil
	case n.Kind == yaml.ScalarNode:
		return n.Value, nil
	}
	return nil, errors.New("only text, numbers and maps are known")
}

func (t *template) properties(r resource) (map[string]any, error) {
	v, err := t.value(&r.Node)
	if err != nil {
		return nil, fmt.Errorf("template: %s: %w", r.id, err)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("template: %s has no Properties", r.id)
	}
	return m, nil
}

func (t *template) text(r resource, name string) (string, error) {
	m, err := t.properties(resource{r.id, r.kind, scalarsOf(r.Node)})
	if err != nil {
		return "", err
	}
	s, _ := m[name].(string)
	if s == "" {
		return "", fmt.Errorf("template: %s needs %s", r.id, name)
	}
	return s, nil
}

// scalarsOf leaves the plain properties: a name never refers to a resource.
func scalarsOf(n yaml.Node) yaml.Node {
	out := yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if v := n.Content[i+1]; v.Kind == yaml.ScalarNode && !strings.HasPrefix(v.Tag, "!GetAtt") {
			out.Content = append(out.Content, n.Content[i], v)
		}
	}
	return out
}

// provision makes what the template names and is not there yet.
func (e *emulator) provision(t *template) error {
	for _, r := range t.resources {
		p, err := t.properties(r)
		if err != nil {
			return err
		}
		if r.kind == "AWS::Kinesis::Stream" {
			err = e.provisionStream(p)
		} else {
			err = e.provisionQueue(p)
		}
		if err != nil {
			return fmt.Errorf("template: %s: %w", r.id, err)
		}
	}
	return nil
}

func (e *emulator) provisionStream(p map[string]any) error {
	name, _ := p["Name"].(string)
	if e.streams.Has(name) {
		return nil
	}
	number := func(key string, otherwise int) (int, error) {
		text, ok := p[key].(string)
		if !ok {
			return otherwise, nil
		}
		return strconv.Atoi(text)
	}
	shards, err := number("ShardCount", 1)
	if err != nil {
		return fmt.Errorf("ShardCount: %w", err)
	}
	hours, err := number("RetentionPeriodHours", 24)
	if err != nil {
		return fmt.Errorf("RetentionPeriodHours: %w", err)
	}
	return e.streams.Create(name, shards, int32(hours))
}

// provisionQueue makes a queue, or brings one that is there to the template's
// attributes.
func (e *emulator) provisionQueue(p map[string]any) error {
	name, _ := p["QueueName"].(string)
	attributes := map[string]string{}
	for k, v := range p {
		switch v := v.(type) {
		case string:
			if k != "QueueName" && k != "FifoQueue" {
				attributes[k] = v
			}
		default:
			b, err := json.Marshal(v)
			if err != nil {
				return err
			}
			attributes[k] = string(b)
		}
	}
	err := e.queues.Create(name, attributes)
	var exists *wire.Error
	if errors.As(err, &exists) && exists.Code == "QueueNameExists" {
		return e.queues.SetAttributes(name, attributes)
	}
	return err
}
