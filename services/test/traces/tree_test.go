package traces

import (
	"fmt"
	"slices"
	"strings"

	"tandem/services/domain/event"
	"tandem/services/test/collector"
)

// traceOf returns the id of the trace in which a ride's message was received.
func traceOf(spans []collector.Span, rideID string) (id string) {
	for _, s := range spans {
		if strings.HasPrefix(s.Name, "process ") && s.Attributes[event.SpanRideID] == rideID {
			id = s.Trace
		}
	}
	return id
}

// tree prints the spans of a trace that lie below root: a line for each, below its parent,
// in the order in which they began. Of statements, of which there are many, it says that
// there are some.
func tree(spans []collector.Span, whole, root string) string {
	byID := map[string]collector.Span{}
	for _, s := range spans {
		byID[s.ID] = s
	}

	var out strings.Builder
	var write func(parent, indent string)
	write = func(parent, indent string) {
		for _, s := range spans {
			if s.Trace != whole || s.Parent != parent || statement(s) {
				continue
			}
			out.WriteString(strings.TrimRight(fmt.Sprintf("%-58s%s", indent+line(s), remarks(s, spans, byID)), " ") + "\n")
			write(s.ID, indent+"  ")
		}
	}
	write(root, "")
	return out.String()
}

func statement(s collector.Span) bool { return s.Attributes["db.system.name"] != "" }

func line(s collector.Span) string {
	try := ""
	if n, ok := s.Attributes["tandem.receives"]; ok {
		try = ", try " + strings.Trim(strings.TrimPrefix(n, "int_value:"), `"`)
	}
	return s.Service + ": " + s.Name + try
}

// remarks say what a line leaves out: how it ended, statements below it, and links.
func remarks(s collector.Span, spans []collector.Span, byID map[string]collector.Span) string {
	var out []string
	if o := s.Attributes["tandem.outcome"]; o != "" {
		out = append(out, o)
	} else if s.Failed {
		out = append(out, "failed")
	}

	statements := 0
	for _, below := range spans {
		if below.Parent == s.ID && statement(below) {
			statements++
		}
	}
	if statements > 0 {
		out = append(out, "SQL")
	}

	for _, id := range s.Links {
		linked, ok := byID[id]
		if !ok {
			out = append(out, "linked to nothing")
			continue
		}
		text := "linked to " + linked.Service + ": " + linked.Name
		if linked.Trace != s.Trace {
			text += ", another trace"
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), "; ")
}
