package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tandem/services/internal/problem"
)

// cursor is how far a page has read each list: the points, and each team's got.
type cursor struct {
	session string
	points  int
	teams   [8]struct{ generation, got int }
}

// readCursor reads what String wrote.
func readCursor(text string) (c cursor, err error) {
	if text == "" {
		return c, nil
	}

	parts := strings.Split(text, ".")
	if len(parts) == 2+len(c.teams) {
		c.session = parts[0]
		_, err = fmt.Sscanf(parts[1], "%d", &c.points)
		for i := range c.teams {
			_, e := fmt.Sscanf(parts[2+i], "%d-%d", &c.teams[i].generation, &c.teams[i].got)
			err = cmp.Or(err, e)
		}
		if err == nil && c.points >= 0 && !slices.ContainsFunc(c.teams[:], func(t struct{ generation, got int }) bool { return t.got < 0 }) {
			return c, nil
		}
	}
	return c, problem.Field("cursor", "It is the cursor of the answer before, unchanged.")
}

func (c cursor) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.%d", c.session, c.points)
	for _, t := range c.teams {
		fmt.Fprintf(&b, ".%d-%d", t.generation, t.got)
	}
	return b.String()
}
