package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"tandem/services/demo/runfile"
	"tandem/services/domain/profile"
)

// screen writes a status line that changes in place to a terminal, and plain lines
// to anything else. Its methods are safe for concurrent use.
type screen struct {
	out   io.Writer
	fd    int // of the terminal; -1: none
	mu    sync.Mutex
	inRow bool // the cursor stands behind a part of an unfinished line
	live  bool // the cursor stands behind the status line
	last  time.Time
}

func newScreen(out io.Writer) *screen {
	s := &screen{out: out, fd: -1}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.fd = int(f.Fd())
	}
	return s
}

// plainEvery is how often the status is printed where there is no terminal.
const plainEvery = 5 * time.Second

func (s *screen) title(backend string) {
	what := map[string]string{
		profile.Emulator: "no AWS account, no token, nothing leaves this machine", profile.LocalStack: "on LocalStack: no AWS account",
		profile.AWS: "on AWS, which bills for it",
	}
	s.line("Tandem   " + what[backend] + "    Ctrl-C ends everything")
}

// part adds a part that is ready to the row of parts; more is a remark on it.
func (s *screen) part(name, more string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	gap := "   "
	if !s.inRow {
		gap = " "
	}

	s.inRow = true
	_, _ = fmt.Fprint(s.out, strings.TrimRight(gap+name+" ✓ "+more, " "))
}

// line writes a whole line below what was written so far.
func (s *screen) line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.breakRow()
	_, _ = fmt.Fprintln(s.out, text)
}

func (s *screen) breakRow() {
	switch {
	case s.live:
		_, _ = fmt.Fprint(s.out, "\r\033[K")
	case s.inRow:
		_, _ = fmt.Fprintln(s.out)
	}
	s.inRow, s.live = false, false
}

// status replaces the status line.
func (s *screen) status(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.fd < 0 {
		if time.Since(s.last) >= plainEvery {
			s.last = time.Now()
			_, _ = fmt.Fprintln(s.out, text)
		}
		return
	}

	// A line that wraps could not be overwritten, so what does not fit is cut off.
	if width, _, err := term.GetSize(s.fd); err == nil && width > 2 && utf8.RuneCountInString(text) >= width {
		text = string([]rune(text)[:width-2]) + "…"
	}

	_, _ = fmt.Fprint(s.out, "\r\033[K"+text)
	s.live = true
}

func (s *screen) links(base, commands string) {
	for _, l := range [][2]string{
		{"Map, book a ride", base + "/"},
		{"Queue and stream", base + "/admin"},
		{"In another terminal", commands},
	} {
		s.row(l[0], l[1])
	}
}

// row writes a line of the table of what there is.
func (s *screen) row(name, text string) {
	s.line(" " + name + strings.Repeat(" ", 22-len(name)) + text)
}

// commands are what a person may type in another terminal, word for word. The tools
// find a demo on the usual folder by themselves.
func (d *demo) commands() string {
	where := ""
	if usual, err := runfile.DefaultDir(profile.Emulator); err != nil || usual != d.folder.dir {
		where = " --data " + ShellWord(d.folder.dir)
	}

	command := ShellWord(d.Command)
	return command + " audit" + where + "     " + command + " feed" + where + " FILE"
}

// ShellWord returns a path as a shell reads it, quoted where it would be taken apart.
func ShellWord(path string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%", r)
	}
	if path != "" && strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
