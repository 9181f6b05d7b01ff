package feed

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// counted is a file, of which is known how much was read. Its counts are safe for
// concurrent use.
type counted struct {
	io.ReadCloser
	path  string
	size  int64 // bytes; 0: not known
	bytes atomic.Int64
}

// open opens a file; "-" is the standard input.
func open(path string) (*counted, error) {
	if path == "-" {
		return &counted{ReadCloser: os.Stdin, path: path}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	c := &counted{ReadCloser: f, path: path}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		c.size = info.Size()
	}
	return c, nil
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// part returns which part of the file was read, from 0 to 1; 0 where its size is
// not known.
func (c *counted) part() float64 {
	if c.size == 0 {
		return 0
	}
	return min(float64(c.bytes.Load())/float64(c.size), 1)
}

const (
	bom        = "\ufeff"
	looksAhead = 64 << 10 // bytes that are looked at before a file is read
	buffered   = 2 * looksAhead
)

// binaries are files that are not text, by how they begin, and what would help.
var binaries = []struct{ magic, what string }{
	{"PK\x03\x04", "this is a zip archive (Excel's .xlsx is one): unpack it, or save the sheet as CSV"},
	{"PAR1", "this is Parquet: write it as CSV first, with DuckDB for instance"},
	{"SQLite format 3", "this is an SQLite database: write a table of it as CSV first"},
	{"%PDF", "this is a PDF"},
	{"BZh", "this is bzip2: unpack it first"},
	{"\xfd7zXZ", "this is xz: unpack it first"},
	{"\x28\xb5\x2f\xfd", "this is zstd: unpack it first"},
}

// unpacked returns what is in a gzip file, and any other file as it is.
func unpacked(in io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(in, buffered)
	if head, _ := b.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("this is gzip, and damaged: %w", err)
	}
	return z, nil
}

// decoded returns a reader of text: UTF-16 becomes UTF-8, whatever is not text is
// an error.
func decoded(in io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(in, buffered)
	head, err := b.Peek(looksAhead)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}

	for _, x := range binaries {
		if bytes.HasPrefix(head, []byte(x.magic)) {
			return nil, errors.New(x.what)
		}
	}
	switch {
	case len(bytes.TrimSpace(head)) == 0:
		return nil, errors.New("the file is empty")
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		utf16 := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
		return bufio.NewReaderSize(utf16.Reader(b), buffered), nil
	case bytes.IndexByte(head, 0) >= 0:
		return nil, errors.New("the file is not text: it has zero bytes in it")
	}
	return b, nil
}

// lines reads a text line by line. It is for one goroutine.
type lines struct {
	in   *bufio.Reader
	end  byte
	n    int      // number of the line that was returned last
	back []string // lines that are returned again, the next one last
}

// newLines finds out how lines end: '\n', or '\r' alone as on old Macs.
func newLines(in *bufio.Reader) *lines {
	head, _ := in.Peek(looksAhead)
	l := &lines{in: in, end: '\n'}
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		l.end = '\r'
	}
	return l
}

const maxLine = 16 << 20

var errLongLine = fmt.Errorf("the line is longer than %d bytes", maxLine)

// next returns one line without its end, as UTF-8.
func (l *lines) next() (string, error) {
	if n := len(l.back); n > 0 {
		text := l.back[n-1]
		l.back = l.back[:n-1]
		l.n++
		return text, nil
	}

	var b strings.Builder
	for {
		part, err := l.in.ReadSlice(l.end)

		// A line that is too long is read to its end, so that the next one is found,
		// but not kept.
		if b.Len() <= maxLine {
			b.Write(part)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && b.Len() > 0:
		case err != nil:
			return "", err
		}

		l.n++
		if b.Len() > maxLine {
			return "", errLongLine
		}
		return cleaned(b.String()), nil
	}
}

// unread returns a line to what is to be read.
func (l *lines) unread(text string) {
	l.back = append(l.back, text)
	l.n--
}

func cleaned(line string) string {
	line = strings.TrimRight(line, "\r\n")
	if utf8.ValidString(line) {
		return line
	}

	// What is not UTF-8 is Windows' western alphabet, of which Latin-1 is a part:
	// every byte has a meaning there.
	if western, err := charmap.Windows1252.NewDecoder().String(line); err == nil {
		return western
	}
	return strings.ToValidUTF8(line, "\ufffd")
}
