package emulator

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// template is a CloudFormation template as far as messaging.yaml needs it:
// Parameters, Resources of the types in kinds(), and Outputs. What the emulator
// does not know it refuses by name: of a template that is half understood it
// would create something else than AWS does.
type template struct {
	parameters map[string]any
	resources  []*resource // in the order in which they are created
	byID       map[string]*resource
}

// resource is one entry of Resources.
type resource struct {
	id, kind   string
	properties map[string]*yaml.Node
}

// readTemplate reads a template, YAML or JSON; parameters override its defaults.
func readTemplate(raw []byte, parameters map[string]string) (*template, error) {
	t := &template{parameters: map[string]any{}, byID: map[string]*resource{}}
	if err := t.read(raw, parameters); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return t, nil
}

func (t *template) read(raw []byte, parameters map[string]string) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return err
	}
	if len(doc.Content) != 1 {
		return errors.New("it is empty")
	}

	top, err := fields(doc.Content[0], "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Resources", "Outputs")
	if err != nil {
		return err
	}

	// Parameters first: everything else may refer to them.
	if err := t.readParameters(top["Parameters"], parameters); err != nil {
		return err
	}
	if err := each(top["Resources"], t.readResource); err != nil {
		return err
	}
	if len(t.byID) == 0 {
		return errors.New("it has no Resources")
	}

	// What others refer to comes first. Queues need no order: a dead-letter queue
	// may be created later.
	order := []string{kindQueue, kindQueuePolicy, kindStream, kindConsumer, kindTopic, kindSubscription, kindAlarm}
	slices.SortStableFunc(t.resources, func(a, b *resource) int { return slices.Index(order, a.kind) - slices.Index(order, b.kind) })

	// All are evaluated now, so that a mistake is reported before anything is created.
	for _, r := range t.resources {
		if _, err := t.properties(r); err != nil {
			return err
		}
	}

	// Outputs are not used here. They are evaluated because AWS would refuse a mistake in
	// them.
	return each(top["Outputs"], func(_ string, n *yaml.Node) error {
		out, err := fields(n, "Value", "Description", "Export")
		if err != nil {
			return err
		}

		if out["Value"] == nil {
			return errors.New("it has no Value")
		}
		_, err = t.value(out["Value"])
		return err
	})
}

func (t *template) readParameters(n *yaml.Node, given map[string]string) error {
	err := each(n, func(name string, n *yaml.Node) error {
		p, err := fields(n, "Type", "Default", "Description", "MinValue", "MaxValue")
		if err != nil {
			return err
		}

		text, ok := given[name]
		if !ok {
			if p["Default"] == nil {
				return errors.New("it has no Default and was not given")
			}
			text = p["Default"].Value
		}

		switch kind := scalar(p["Type"]); kind {
		case "String":
			t.parameters[name] = text
			return nil
		case "Number":
			v, err := inRange(text, scalar(p["MinValue"]), scalar(p["MaxValue"]))
			t.parameters[name] = v
			return err
		default:
			return fmt.Errorf("the type %q is not known", kind)
		}
	})
	if err != nil {
		return err
	}

	for name := range given {
		if _, ok := t.parameters[name]; !ok {
			return fmt.Errorf("there is no parameter %s", name)
		}
	}
	return nil
}

// scalar returns a node's text, or "" of none.
func scalar(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}

// inRange reads a whole number between two bounds, either of which may be "".
func inRange(text, least, most string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no whole number", text)
	}

	if l, err := strconv.Atoi(least); err == nil && n < l {
		return 0, fmt.Errorf("%d is below its MinValue, %d", n, l)
	}
	if m, err := strconv.Atoi(most); err == nil && n > m {
		return 0, fmt.Errorf("%d is above its MaxValue, %d", n, m)
	}
	return n, nil
}

func (t *template) readResource(id string, n *yaml.Node) error {
	// The policies are about deletion, and nothing is ever deleted here.
	head, err := fields(n, "Type", "Properties", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata")
	if err != nil {
		return err
	}

	r := &resource{id: id, kind: scalar(head["Type"])}
	known, ok := kinds()[r.kind]
	if !ok {
		return fmt.Errorf("the emulator does not know the type %q", r.kind)
	}

	if head["Properties"] != nil {
		if r.properties, err = fields(head["Properties"], known...); err != nil {
			return fmt.Errorf("%s: %w", r.kind, err)
		}
	}

	t.byID[id], t.resources = r, append(t.resources, r)
	return nil
}

// fields returns a mapping's entries by name. Unknown names are an error.
func fields(n *yaml.Node, known ...string) (map[string]*yaml.Node, error) {
	out := map[string]*yaml.Node{}
	err := each(n, func(name string, v *yaml.Node) error {
		if !slices.Contains(known, name) {
			return errors.New("the emulator does not know it")
		}
		out[name] = v
		return nil
	})
	return out, err
}

// each calls f for every entry of a mapping; nil has none. A name that comes twice
// is an error.
func each(n *yaml.Node, f func(name string, v *yaml.Node) error) error {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: names with values were expected", n.Line)
	}

	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if seen[name] {
			return fmt.Errorf("%s is named twice", name)
		}
		seen[name] = true

		if err := f(name, n.Content[i+1]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
