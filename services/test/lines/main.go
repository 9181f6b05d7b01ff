// Command lines measures how Tandem reads, room by room (run it by `make lines`):
// how many lines of its functions are blank, how many are comments of their
// own, and how long its files are. Generated code is not counted.
//
// In Go the lines between a function's braces count. TypeScript is not parsed:
// there a line counts if it is indented, and a blank one if the line after it
// is.
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// count is what one file, or a room of them, adds up to.
type count struct {
	files, lines            int // files, and all their lines
	inside, blank, comments int // lines inside functions; of these, blank and comments of their own
	longest                 int // lines of the longest file
	sizes                   []int
}

func (c *count) add(o count) {
	c.files += o.files
	c.lines += o.lines
	c.inside += o.inside
	c.blank += o.blank
	c.comments += o.comments
	c.longest = max(c.longest, o.longest)
	c.sizes = append(c.sizes, o.sizes...)
}

func (c *count) String() string {
	slices.Sort(c.sizes)
	share := func(n int) float64 { return 100 * float64(n) / float64(max(c.inside, 1)) }

	return fmt.Sprintf("%5d files %6d lines  blank %4.1f %%  comments %4.1f %%  median file %3d  longest %3d",
		c.files, c.lines, share(c.blank), share(c.comments), c.sizes[len(c.sizes)/2], c.longest)
}

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}

	if err := run(root); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "lines:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	rooms := map[string]*count{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipped := []string{"node_modules", "dist", "testdata", "out"}; slices.Contains(skipped, d.Name()) || len(d.Name()) > 1 && d.Name()[0] == '.' {
				return fs.SkipDir
			}
			return nil
		}

		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}

		one, ok, err := measure(name)
		if err != nil || !ok {
			return err
		}
		for _, r := range roomsOf(filepath.ToSlash(rel)) {
			if rooms[r] == nil {
				rooms[r] = &count{}
			}
			rooms[r].add(one)
		}
		return nil
	})
	if err != nil {
		return err
	}

	names := make([]string, 0, len(rooms))
	for name := range rooms {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(a, "all "), strings.Count(b, "all ")), strings.Compare(a, b))
	})
	for _, name := range names {
		fmt.Printf("%-44s %s\n", name, rooms[name])
	}
	return nil
}

// roomsOf names the rows that a file counts in: its folder's, and those that
// add up. Tests stand in a row of their own.
func roomsOf(rel string) []string {
	if path.Ext(rel) != ".go" {
		return []string{path.Dir(rel), "all of web"}
	}

	first, _, _ := strings.Cut(rel, "/")
	if strings.HasSuffix(rel, "_test.go") || strings.HasPrefix(rel, "services/test/") {
		return []string{"all Go tests of " + first}
	}
	return []string{path.Dir(rel), "all Go of " + first}
}

// measure counts one file; ok is false where it is no source of ours.
func measure(name string) (one count, ok bool, err error) {
	ext := filepath.Ext(name)
	if ext != ".go" && ext != ".ts" && ext != ".tsx" {
		return count{}, false, nil
	}

	source, err := os.ReadFile(name) //nolint:gosec // a file of this tree
	if err != nil {
		return count{}, false, err
	}
	head := source[:min(len(source), 400)]
	if bytes.Contains(head, []byte("DO NOT EDIT")) || bytes.Contains(head, []byte("auto-generated")) || strings.HasSuffix(name, ".d.ts") {
		return count{}, false, nil
	}

	lines := strings.Split(strings.TrimSuffix(string(source), "\n"), "\n")
	one = count{files: 1, lines: len(lines), longest: len(lines), sizes: []int{len(lines)}}
	if ext == ".go" {
		return one, true, inGo(&one, name, source, lines)
	}
	inTypeScript(&one, lines)
	return one, true, nil
}

func inGo(c *count, name string, source []byte, lines []string) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}

	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		first, last := set.Position(fn.Body.Lbrace).Line, set.Position(fn.Body.Rbrace).Line
		for n := first + 1; n < last; n++ {
			c.line(lines[n-1])
		}
	}
	return nil
}

func inTypeScript(c *count, lines []string) {
	for i, line := range lines {
		indented := line
		if strings.TrimSpace(line) == "" && i+1 < len(lines) {
			indented = lines[i+1]
		}
		if strings.HasPrefix(indented, " ") || strings.HasPrefix(indented, "\t") {
			c.line(line)
		}
	}
}

func (c *count) line(text string) {
	text = strings.TrimSpace(text)
	c.inside++
	switch {
	case text == "":
		c.blank++
	case strings.HasPrefix(text, "//"), strings.HasPrefix(text, "/*"), strings.HasPrefix(text, "*"), strings.HasPrefix(text, "{/*"):
		c.comments++
	}
}
