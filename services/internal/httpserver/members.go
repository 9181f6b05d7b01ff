package httpserver

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"tandem/services/internal/problem"
)

// checkMembers refuses what Go's decoder takes and another reader of the same body
// would read differently: a member that is there twice (Go keeps the last), and one
// in other letters (Go ignores their case). body is one valid JSON value, of a depth
// that the decoder has bounded.
func checkMembers(body string) error {
	if !utf8.ValidString(body) {
		return problem.New(problem.Invalid, "The body is not UTF-8.")
	}
	return checkValue(json.NewDecoder(strings.NewReader(body)))
}

func checkValue(dec *json.Decoder) error {
	t, err := dec.Token()
	open, nested := t.(json.Delim)
	if err != nil || !nested {
		return err
	}

	seen := map[string]bool{}
	for dec.More() {
		if open == '{' {
			t, err := dec.Token()
			name, ok := t.(string)
			switch {
			case err != nil || !ok:
				return errors.Join(errors.New("an object's member has no name"), err)
			case seen[name]:
				return problem.Field(name, "It is there twice; send it once.")
			case strings.ContainsFunc(name, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= utf8.RuneSelf }):
				return problem.Field(name, "It is not a member here: their names are in small letters.")
			}
			seen[name] = true
		}
		if err := checkValue(dec); err != nil {
			return err
		}
	}

	_, err = dec.Token() // the closing bracket
	return err
}
