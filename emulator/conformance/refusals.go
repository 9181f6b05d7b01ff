package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// refusal is a row of a service's table: a parameter of a call, and the values
// of it that AWS refuses. Each of these values is a test case of its own.
type refusal struct {
	page    string // the AWS page that the row rests on
	says    string // what AWS documents there
	name    string // of its cases: the call, and %s for the value
	takes   takes
	refuses refuses
	codes   codes
	try     func(c *caseRun, value string) error // makes the call with the value
}

type (
	// takes are values at the limit that the call takes. A case tries them
	// first: the refusal that follows is then because of the value, not because
	// of another fault in the call.
	takes []string
	// refuses are the values that the call refuses.
	refuses []string
	// codes are the error codes of which the answer must have one. Where AWS's
	// pages leave room, there is more than one.
	codes []string
)

// refusalCases returns a case for each value that the rows refuse.
func refusalCases(rows []refusal) (all []testCase) {
	for _, row := range rows {
		for _, value := range row.refuses {
			name := fmt.Sprintf(row.name, label(value))
			all = append(all, promise(name, row.page, row.says, func(c *caseRun) { row.run(c, value) }))
		}
	}

	return all
}

func (r refusal) run(c *caseRun, value string) {
	for _, good := range r.takes {
		require.NoError(c, r.try(c, good), "%s is taken", label(good))
	}

	err := r.try(c, value)
	require.Error(c, err, "%s is refused", label(value))
	c.refused(err, r.codes...)
}

// label is how a value reads in a case's name.
func label(value string) string {
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return value
	}
	if n := utf8.RuneCountInString(value); n > 60 {
		return fmt.Sprintf("of %d characters", n)
	}
	if strings.Contains(value, `"`) { // JSON needs no quotes around it
		return value
	}

	return strconv.Quote(value)
}

// int32 is a value of a row whose parameter is a number.
func (c *caseRun) int32(value string) int32 {
	n, err := strconv.ParseInt(value, 10, 32)
	require.NoError(c, err)
	return int32(n)
}
