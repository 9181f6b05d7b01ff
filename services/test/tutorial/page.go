package tutorial

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// step is a block of a chapter that is run, and what it is to print.
type step struct {
	line     int // of the page, where its commands begin
	commands string
	terminal string // where it runs beside the others: second or third; "" is the first
	with     string // the first line of an optional block: what it needs
	prints   string
	laws     []string
}

// excerpt is a block that is cut from the source.
type excerpt struct {
	line       int
	file, name string
	text       string
}

// page is one file of docs, taken apart.
type page struct {
	path     string
	steps    []step
	excerpts []excerpt
	links    []string // as written
	anchors  map[string]bool
	prose    []string // its words, without code
}

var (
	origin = regexp.MustCompile(`^// (\S+\.(?:go|sql|yaml)): (\w+)\n`)
	law    = regexp.MustCompile(`<!--\s*law:\s*(.*?)\s*-->`)
	word   = regexp.MustCompile(`[\p{L}][\p{L}'’]*`)

	inAnotherTerminal = regexp.MustCompile(`^# in a (second|third) terminal\n`)
)

// optional are the first lines of blocks that some readers leave out, and the command
// that succeeds where one can run.
var optional = map[string]string{
	withDocker:             "docker version",
	"# with the AWS CLI":   "aws --version",
	"# with Python, boto3": "python3 -c 'import boto3'",
}

const withDocker = "# with Docker"

func read(path string) (*page, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tutorial: %w", err)
	}
	return take(path, source)
}

// take takes a page apart.
func take(path string, source []byte) (*page, error) {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	p := &page{path: path, anchors: map[string]bool{}}

	return p, ast.Walk(md.Parser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if id, ok := n.AttributeString("id"); ok {
				p.anchors[string(id.([]byte))] = true
			}
		case *ast.Link:
			p.links = append(p.links, string(n.Destination))
		case *ast.Image:
			p.links = append(p.links, string(n.Destination))
		case *ast.HTMLBlock:
			p.takeLaws(string(n.Lines().Value(source)))
		case *ast.FencedCodeBlock:
			line := 1
			if n.Lines().Len() > 0 {
				line += bytes.Count(source[:n.Lines().At(0).Start], []byte("\n"))
			}
			return ast.WalkSkipChildren, p.takeBlock(string(n.Language(source)), string(n.Lines().Value(source)), line)
		case *ast.CodeSpan:
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			p.prose = append(p.prose, word.FindAllString(string(n.Segment.Value(source)), -1)...)
		}
		return ast.WalkContinue, nil
	})
}

func (p *page) takeBlock(language, block string, line int) error {
	switch language {
	case "sh":
		s := step{line: line, commands: block}
		if first, _, _ := strings.Cut(block, "\n"); optional[first] != "" {
			s.with = first
		}
		if m := inAnotherTerminal.FindStringSubmatch(block); m != nil {
			s.terminal = m[1]
		}
		p.steps = append(p.steps, s)
	case "text":
		if len(p.steps) == 0 || p.steps[len(p.steps)-1].prints != "" {
			return fmt.Errorf("%s:%d: no command prints this", p.path, line)
		}
		p.steps[len(p.steps)-1].prints = block
	case "go", "sql", "yaml":
		if m := origin.FindStringSubmatch(block); m != nil {
			p.excerpts = append(p.excerpts, excerpt{line: line, file: m[1], name: m[2], text: block[len(m[0]):]})
		}
	}
	return nil
}

func (p *page) takeLaws(html string) {
	for _, m := range law.FindAllStringSubmatch(html, -1) {
		if len(p.steps) > 0 {
			last := &p.steps[len(p.steps)-1]
			last.laws = append(last.laws, m[1])
		}
	}
}

// chapters reads every page of the tutorial, in order.
func chapters(root string) ([]*page, error) {
	paths, err := filepath.Glob(filepath.Join(root, "docs", "tutorial", "*.md"))
	if err != nil {
		return nil, err
	}

	var all []*page
	for _, path := range paths {
		p, err := read(path)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}
