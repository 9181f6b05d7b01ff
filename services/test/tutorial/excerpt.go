package tutorial

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	beginMark = "//excerpt:"
	endMark   = "//excerpt:end"
)

// cut returns the lines between an excerpt's marks, moved to the left as far as all of
// them go. Marks of other excerpts are left out.
func cut(source, name string) (string, error) {
	var lines []string
	inside := false
	for line := range strings.Lines(source) {
		mark := strings.TrimSpace(line)
		switch {
		case mark == beginMark+name:
			inside = true
		case inside && mark == endMark:
			return strings.Join(outdent(lines), ""), nil
		case inside && !strings.HasPrefix(mark, beginMark):
			lines = append(lines, line)
		}
	}

	if inside {
		return "", fmt.Errorf("tutorial: the excerpt %s has no end (%s)", name, endMark)
	}
	return "", fmt.Errorf("tutorial: there is no mark %s%s", beginMark, name)
}

// check reports whether the excerpt is still what stands in the source.
func (e excerpt) check(root string) error {
	source, err := os.ReadFile(filepath.Join(root, e.file))
	if err != nil {
		return fmt.Errorf("tutorial: %w", err)
	}

	now, err := cut(string(source), e.name)
	if err != nil {
		return fmt.Errorf("%s: %w", e.file, err)
	}
	if now != e.text {
		return fmt.Errorf("tutorial: copy %s from %s again; it is now:\n%s", e.name, e.file, now)
	}
	return nil
}

func outdent(lines []string) []string {
	tabs := -1
	for _, l := range lines {
		if n := len(l) - len(strings.TrimLeft(l, "\t")); strings.TrimSpace(l) != "" && (tabs < 0 || n < tabs) {
			tabs = n
		}
	}

	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = l
		if strings.TrimSpace(l) != "" {
			out[i] = l[max(tabs, 0):]
		}
	}
	return out
}
