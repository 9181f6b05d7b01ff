package wire

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Unicode reports whether the texts of a JSON value are Unicode: all bytes are
// UTF-8, and no escape (\ud83d) is half a surrogate pair.
func Unicode(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}

	for {
		at := bytes.IndexByte(b, '\\')
		if at < 0 {
			return true
		}

		b = b[at:]
		first, ok := unit(b)
		switch {
		case !ok:
			b = b[min(2, len(b)):] // \n, or \\, behind which a u means nothing
			continue
		case utf16.IsSurrogate(first):
			second, _ := unit(b[6:])
			if utf16.DecodeRune(first, second) == utf8.RuneError {
				return false
			}
			b = b[12:]
		default:
			b = b[6:]
		}
	}
}

// unit returns the UTF-16 unit of the escape \uXXXX that b begins with.
func unit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}
