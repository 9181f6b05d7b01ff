package httpserver

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"tandem/services/internal/problem"
)

// checkMembers refuses what Go's decoder takes and another reader of the same body
// would read differently: a member that is there twice (Go keeps the last), one in
// other letters (Go ignores their case), and half a surrogate pair (Go takes U+FFFD
// for it). body is one valid JSON value, of a depth that the decoder has bounded.
func checkMembers(body string) error {
	if !utf8.ValidString(body) {
		return problem.New(problem.Invalid, "The body is not UTF-8.")
	}
	if half := loneSurrogate(body); half != "" {
		return problem.New(problem.Invalid, "%s is half of a character: the other half, \\ud800 to \\udbff before or \\udc00 to \\udfff behind it, is missing.", half)
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

// escapeLen is the length of an escape such as \ud83d.
const escapeLen = 6

// loneSurrogate returns the first escape of a surrogate that has no other half beside
// it, or "". body is valid JSON, where a backslash stands in strings alone.
func loneSurrogate(body string) string {
	for i := strings.IndexByte(body, '\\'); i >= 0 && i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}

		first, second := surrogate(body[i:]), surrogate(body[min(i+escapeLen, len(body)):])
		switch {
		case first == 0:
			i++ // the escaped character may be a backslash
		case utf16.DecodeRune(first, second) != utf8.RuneError:
			i += 2*escapeLen - 1
		default:
			return body[i : i+escapeLen]
		}
	}
	return ""
}

// surrogate returns the surrogate that s begins with, written as an escape, or 0.
func surrogate(s string) rune {
	if len(s) < escapeLen || s[:2] != `\u` {
		return 0
	}
	n, err := strconv.ParseUint(s[2:escapeLen], 16, 16)
	if err != nil || !utf16.IsSurrogate(rune(n)) {
		return 0
	}
	return rune(n)
}
