package tutorial

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const sample = "# One\n\nText with a [link](../guarantees.md#rides) and `code`.\n\n" +
	"```sh\n# in a second terminal\nmake demo\n```\n\n```sh\nsend 20\n```\n\n```text\n…\nanna has ⟨anna⟩\nben has ⟨ben⟩\n```\n\n" +
	"<!-- law: anna + ben == 20 -->\n<!-- law: anna > 0 -->\n\n" +
	"```go\n// services/a/b.go: receive\nx := 1\n```\n"

func TestAChapterIsTakenApart(t *testing.T) {
	p, err := take("one.md", []byte(sample))
	require.NoError(t, err)

	require.Equal(t, []step{
		{line: 6, commands: "# in a second terminal\nmake demo\n", terminal: "second"},
		{line: 11, commands: "send 20\n", prints: "…\nanna has ⟨anna⟩\nben has ⟨ben⟩\n", laws: []string{"anna + ben == 20", "anna > 0"}},
	}, p.steps)
	require.Equal(t, []excerpt{{line: 24, file: "services/a/b.go", name: "receive", text: "x := 1\n"}}, p.excerpts)
	require.Equal(t, []string{"../guarantees.md#rides"}, p.links)
	require.True(t, p.anchors["one"])
	require.Equal(t, []string{"One", "Text", "with", "a", "link", "and"}, p.prose)

	_, err = take("two.md", []byte("```text\nprinted by nobody\n```\n"))
	require.ErrorContains(t, err, "two.md:2: no command prints this")
}

func TestWhatIsPrintedIsHeldAgainstTheText(t *testing.T) {
	for _, c := range []struct{ says, printed, wrong string }{
		{says: "anna has ⟨anna⟩\nben has ⟨ben⟩\n", printed: "anna has 1,011\n\nben has 9\n"},
		{says: "…\nben has ⟨ben⟩\n", printed: "compiling\nanna has 11\nben has 9\n"},
		{says: "took … ms\n…\n", printed: "took 12.5 ms\nmore\n"},
		{says: "   60 s  ⟨behind⟩ s\n", printed: " 60 s       59 s\n"},
		{says: "20 messages\n", printed: "19 messages\n", wrong: `it says "20 messages", and "19 messages" was printed`},
		{says: "ben has ⟨ben⟩\n", printed: "", wrong: "was not printed"},
		{says: "ben has ⟨ben⟩\n", printed: "ben has nine\n", wrong: "was printed"},
		{says: "one\n", printed: "one\ntwo\n", wrong: `it says nothing of the line "two"`},
		{says: "one\nthree\n", printed: "one\ntwo\nthree\n", wrong: `it says "three", and "two" was printed`},
	} {
		err := numbers{}.match(c.says, c.printed)
		if c.wrong == "" {
			require.NoError(t, err, c.says)
			continue
		}
		require.ErrorContains(t, err, c.wrong)
	}
}

func TestALawIsAboutTheNumbersThatWerePrinted(t *testing.T) {
	n := numbers{}
	require.NoError(t, n.match("anna has ⟨anna⟩\nben has ⟨ben⟩\n", "anna has 1,011\nben has 9\n"))
	require.Equal(t, numbers{"anna": 1011, "ben": 9}, n)

	require.NoError(t, n.hold("anna + ben == 1020 && ben > 0"))
	require.ErrorContains(t, n.hold("anna + ben == 20"), "does not hold")
	require.ErrorContains(t, n.hold("anna + eve == 20"), "eve")
	require.ErrorContains(t, n.hold("anna + ben"), "neither true nor false")
}

func TestAnExcerptIsCutAtItsMarks(t *testing.T) {
	const source = "a\n\t//excerpt:receive\n\tif x {\n\t\t//excerpt:other\n\n\t\ty()\n\t}\n\t//excerpt:end\n"
	got, err := cut(source, "receive")
	require.NoError(t, err)
	require.Equal(t, "if x {\n\n\ty()\n}\n", got)

	_, err = cut(source, "send")
	require.ErrorContains(t, err, "there is no mark //excerpt:send")
	_, err = cut("//excerpt:receive\nx\n", "receive")
	require.ErrorContains(t, err, "has no end")
}

func TestTheReadersMakeHasItsOwnArguments(t *testing.T) {
	require.Equal(t, []string{"HOME=/home/ann"}, readers([]string{"MAKEFLAGS= -- ARGS=-run", "ARGS=-run", "MAKELEVEL=1", "HOME=/home/ann"}))
}

// What the tests of the chapters are for: each of these faults is in a chapter that was
// right.
func TestPlantedFaultsAreCaught(t *testing.T) {
	const right = "```sh\necho anna has 12\necho ben has 8\n```\n\n```text\nanna has ⟨anna⟩\nben has 8\n```\n\n<!-- law: anna + 8 == 20 -->\n\n" +
		"```go\n// a.go: receive\nx := 1\n```\n"
	const source = "//excerpt:receive\nx := 1\n//excerpt:end\n"

	for name, c := range map[string]struct{ from, to, caught string }{
		"nothing":          {},
		"a broken command": {"echo ben", "ehco ben", "ehco: command not found"},
		"a command fails":  {"echo ben has 8", "echo ben has 8; false", "exit status 1"},
		"a false number":   {"⟩\nben has 8", "⟩\nben has 9", `it says "ben has 9"`},
		"a law is broken":  {"echo anna has 12", "echo anna has 13", "does not hold"},
		"a lost marker":    {"//excerpt:receive\n", "", "there is no mark //excerpt:receive"},
		"the end is lost":  {"//excerpt:end\n", "", "has no end"},
		"other source":     {"x := 1\n//", "x := 2\n//", "copy receive from a.go again"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			plant := strings.NewReplacer(c.from, c.to).Replace
			require.NoError(t, os.WriteFile(filepath.Join(folder, "a.go"), []byte(plant(source)), 0o600))
			p, err := take("one.md", []byte(plant(right)))
			require.NoError(t, err)

			err = errors.Join(p.steps[0].check(t, newTerminal(folder, t.TempDir()), numbers{}), p.excerpts[0].check(folder))
			if c.caught == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.caught)
		})
	}
}
