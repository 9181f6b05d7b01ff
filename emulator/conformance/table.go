package conformance

import (
	"fmt"
	"strings"
)

// The marks between which docs/backends.md has the table.
const (
	tableBegin = "<!-- differences: begin -->"
	tableEnd   = "<!-- differences: end -->"
)

// Table is the known differences in Markdown, a row for each case in which the
// emulator or LocalStack differs from what AWS documents.
func Table() string {
	instead := map[[2]string]string{}
	count := map[Backend]int{}
	for _, d := range differences() {
		instead[[2]string{string(d.backend), d.name}] = d.instead
		count[d.backend]++
	}

	all := cases()

	var b strings.Builder
	fmt.Fprintf(&b, "Of the suite's %d cases the emulator differs from AWS's documentation in %d, LocalStack 4.14.0 in %d. No case was ever run on AWS: its column is what is documented there.\n\n", len(all), count[Emulator], count[LocalStack])
	b.WriteString("| case | emulator | LocalStack 4.14.0 | AWS as documented |\n|---|---|---|---|\n")

	cell := func(backend Backend, name string) string {
		if text, ok := instead[[2]string{string(backend), name}]; ok {
			return text
		}
		return "as AWS"
	}

	for _, k := range all {
		here, there := cell(Emulator, k.name), cell(LocalStack, k.name)
		if here == there && here == "as AWS" {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s [page](%s) |\n", k.name, here, there, k.says, k.page)
	}

	return b.String()
}

// Embed puts the table between its marks.
func Embed(document string) (string, error) {
	before, rest, found := strings.Cut(document, tableBegin)
	_, after, ended := strings.Cut(rest, tableEnd)
	if !found || !ended {
		return "", fmt.Errorf("the document must have the lines %q and %q", tableBegin, tableEnd)
	}

	return before + tableBegin + "\n" + Table() + tableEnd + after, nil
}

// Names returns each case and its page, in order, and the cases that differences
// name.
func Names() (names, pages, different []string) {
	for _, k := range cases() {
		names, pages = append(names, k.name), append(pages, k.page)
	}
	for _, d := range differences() {
		different = append(different, d.name)
	}

	return names, pages, different
}
