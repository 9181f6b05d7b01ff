package emulator

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"tandem/emulator/sqs"
)

const (
	region  = "us-east-1"
	account = "000000000000"
)

// function returns the name and argument of a CloudFormation function: !Ref X and
// {Ref: X} are the same; so are !Sub and Fn::Sub.
func function(n *yaml.Node) (name string, arg *yaml.Node) {
	if tag := n.Tag; strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "!!") {
		return tag[1:], n
	}

	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		if key := n.Content[0].Value; key == "Ref" || strings.HasPrefix(key, "Fn::") {
			return strings.TrimPrefix(key, "Fn::"), n.Content[1]
		}
	}
	return "", nil
}

// attribute splits GetAtt's argument: X.Arn, or [X, Arn].
func attribute(n *yaml.Node) (id, name string) {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 2 {
		return n.Content[0].Value, n.Content[1].Value
	}
	id, name, _ = strings.Cut(n.Value, ".")
	return id, name
}

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// value evaluates a node to a string, int, bool, []any or map[string]any.
func (t *template) value(n *yaml.Node) (any, error) {
	if name, arg := function(n); name != "" {
		return t.call(name, arg)
	}

	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		return out, each(n, func(name string, v *yaml.Node) (err error) {
			out[name], err = t.value(v)
			return err
		})
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, c := range n.Content {
			v, err := t.value(c)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case yaml.ScalarNode:
		// A number that is no int, such as one too long, stays the text that it is.
		switch n.Tag {
		case "!!int":
			if i, err := strconv.Atoi(n.Value); err == nil {
				return i, nil
			}
		case "!!bool":
			return strings.EqualFold(n.Value, "true"), nil
		}
		return n.Value, nil
	}
	return nil, fmt.Errorf("line %d: only text, numbers, true, false, lists and maps are known", n.Line)
}

// call evaluates a function.
func (t *template) call(name string, arg *yaml.Node) (any, error) {
	switch {
	case name == "Ref" && arg.Kind == yaml.ScalarNode:
		return t.ref(arg.Value)
	case name == "GetAtt":
		return t.getAtt(attribute(arg))
	case name == "Sub" && arg.Kind == yaml.ScalarNode:
		return t.sub(arg.Value)
	}
	return nil, fmt.Errorf("line %d: the emulator knows Ref, Fn::GetAtt and Fn::Sub with a text, not this Fn::%s", arg.Line, name)
}

// sub replaces ${Name} and ${Name.Attribute} in a text; ${!Name} stays ${Name}.
func (t *template) sub(text string) (string, error) {
	var errs []error
	out := variable.ReplaceAllStringFunc(text, func(m string) string {
		name := m[2 : len(m)-1]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}

		get := t.ref
		if id, attr, ok := strings.Cut(name, "."); ok {
			get = func(string) (any, error) { return t.getAtt(id, attr) }
		}

		v, err := get(name)
		errs = append(errs, err)
		return fmt.Sprint(v)
	})

	return out, errors.Join(errs...)
}

// ref returns what !Ref name means: a parameter's value, or of a resource what
// CloudFormation refers to it by.
func (t *template) ref(name string) (any, error) {
	switch name {
	case "AWS::Region":
		return region, nil
	case "AWS::AccountId":
		return account, nil
	case "AWS::Partition":
		return "aws", nil
	}

	if v, ok := t.parameters[name]; ok {
		return v, nil
	}

	r := t.byID[name]
	if r == nil {
		return nil, fmt.Errorf("!Ref %s names no parameter and no resource", name)
	}

	own, err := t.name(r)
	switch {
	case err != nil:
		return nil, err
	case r.kind == kindQueue:
		return sqs.URL("", own), nil
	case r.kind == kindTopic:
		return arn("sns", own), nil
	case r.kind == kindStream:
		return own, nil
	}
	return nil, fmt.Errorf("!Ref %s: the emulator refers to queues, streams and topics", name)
}

func (t *template) getAtt(id, attr string) (any, error) {
	r := t.byID[id]
	if r == nil {
		return nil, fmt.Errorf("!GetAtt %s.%s names no resource", id, attr)
	}

	own, err := t.name(r)
	if err != nil {
		return nil, err
	}

	switch r.kind + "." + attr {
	case kindQueue + ".Arn":
		return arn("sqs", own), nil
	case kindStream + ".Arn":
		return arn("kinesis", "stream/"+own), nil
	case kindTopic + ".TopicArn":
		return arn("sns", own), nil
	case kindQueue + ".QueueName", kindTopic + ".TopicName":
		return own, nil
	case kindQueue + ".QueueUrl":
		return sqs.URL("", own), nil
	}
	return nil, fmt.Errorf("!GetAtt %s.%s: the emulator does not know this attribute", id, attr)
}

func arn(service, name string) string {
	return "arn:aws:" + service + ":" + region + ":" + account + ":" + name
}

// name returns a resource's own name: a text, which may contain parameters.
func (t *template) name(r *resource) (string, error) {
	key := map[string]string{kindQueue: "QueueName", kindStream: "Name", kindTopic: "TopicName"}[r.kind]
	n := r.properties[key]
	if n == nil {
		return "", fmt.Errorf("%s: the emulator needs its %s", r.id, key)
	}

	// Parameters alone: a name that referred to resources could refer to itself.
	alone := &template{parameters: t.parameters}
	v, err := alone.value(n)
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w", r.id, key, err)
	}

	if s, ok := v.(string); ok && s != "" {
		return s, nil
	}
	return "", fmt.Errorf("%s: %s is no text", r.id, key)
}
