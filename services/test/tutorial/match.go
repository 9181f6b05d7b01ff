package tutorial

import (
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"strconv"
	"strings"
)

// numbers are what ⟨name⟩ has stood for so far.
type numbers map[string]int

var placeholder = regexp.MustCompile(`…|⟨(\w+)⟩`)

// match holds what was printed against what the chapter says, and remembers its numbers.
func (n numbers) match(says, printed string) error {
	want := lines(says)
	have := lines(printed)

	for skip := false; len(want) > 0; want = want[1:] {
		if want[0] == "…" {
			skip = true
			continue
		}

		for {
			if len(have) == 0 {
				return fmt.Errorf("the line %q was not printed; it printed:\n%s", want[0], printed)
			}
			line := have[0]
			have = have[1:]
			if n.matchLine(want[0], line) {
				break
			}
			if !skip {
				return fmt.Errorf("it says %q, and %q was printed, in:\n%s", want[0], line, printed)
			}
		}
		skip = false
		if len(want) == 1 && len(have) > 0 {
			return fmt.Errorf("it says nothing of the line %q", have[0])
		}
	}
	return nil
}

func lines(s string) (out []string) {
	for l := range strings.Lines(s) {
		// However many spaces there are: columns move with what is in them.
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			out = append(out, l)
		}
	}
	return out
}

func (n numbers) matchLine(says, printed string) bool {
	var names []string
	pattern, rest := "^", says
	for {
		at := placeholder.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		pattern += regexp.QuoteMeta(rest[:at[0]])
		if at[2] < 0 {
			pattern += `.*?`
		} else {
			pattern += `([0-9,]+)`
			names = append(names, rest[at[2]:at[3]])
		}
		rest = rest[at[1]:]
	}

	found := regexp.MustCompile(pattern + regexp.QuoteMeta(rest) + "$").FindStringSubmatch(printed)
	if found == nil {
		return false
	}
	for i, name := range names {
		n[name], _ = strconv.Atoi(strings.ReplaceAll(found[i+1], ",", "")) // digits
	}
	return true
}

// hold reports whether a law is true of the numbers: "anna + ben == 20".
func (n numbers) hold(law string) error {
	pkg := types.NewPackage("law", "law")
	for name, value := range n {
		pkg.Scope().Insert(types.NewConst(token.NoPos, pkg, name, types.Typ[types.UntypedInt], constant.MakeInt64(int64(value))))
	}

	got, err := types.Eval(token.NewFileSet(), pkg, token.NoPos, law)
	if err != nil {
		return fmt.Errorf("the law %q: %w", law, err)
	}
	if got.Value == nil || got.Value.Kind() != constant.Bool {
		return fmt.Errorf("the law %q is neither true nor false", law)
	}
	if !constant.BoolVal(got.Value) {
		return fmt.Errorf("the law %q does not hold of %v", law, n)
	}
	return nil
}
