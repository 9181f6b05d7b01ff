package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

const (
	frameHead  = 8 // length and checksum
	maxPayload = 32 << 20
	// growBy is how much is allocated at a time, whatever the length says: it may
	// have gone bad.
	growBy = 1 << 20
)

// errTorn is returned where what follows is no frame.
var errTorn = errors.New("journal: torn")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum covers the length too: see the package's comment.
func checksum(length, payload []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, length), castagnoli, payload)
}

// FrameSize returns how many bytes the frame of n bytes of payload has.
func FrameSize(n int) int64 { return frameHead + int64(n) }

// AppendFrame appends the frame of a payload to dst.
func AppendFrame(dst, payload []byte) []byte {
	head := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(payload)))
	dst = binary.LittleEndian.AppendUint32(dst, checksum(dst[head:head+4], payload))
	return append(dst, payload...)
}

// ReadFrame reads one frame from r into buf, which grows as needed, and returns its
// payload. The error is io.EOF at the end, errTorn where what follows is no frame,
// and another where r could not be read.
func ReadFrame(r io.Reader, buf []byte) ([]byte, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, torn(err)
	}

	n := int(binary.LittleEndian.Uint32(head[:4]))
	if n > maxPayload {
		return nil, errTorn
	}

	buf = buf[:0]
	for len(buf) < n {
		from := len(buf)
		buf = append(buf, make([]byte, min(n-from, max(growBy, cap(buf)-from)))...)
		if _, err := io.ReadFull(r, buf[from:]); err != nil {
			return nil, torn(err)
		}
	}

	if checksum(head[:4], buf) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errTorn
	}
	return buf, nil
}

// torn returns errTorn for the end of the file, and else err: a disk that can't be
// read is no torn write.
func torn(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}

// holdsFrame reports whether there is a whole frame anywhere in b.
func holdsFrame(b []byte) bool {
	for i := 0; i+frameHead <= len(b); i++ {
		n := int(binary.LittleEndian.Uint32(b[i:]))
		if end := i + frameHead + n; n > 0 && end <= len(b) &&
			checksum(b[i:i+4], b[i+frameHead:end]) == binary.LittleEndian.Uint32(b[i+4:]) {
			return true
		}
	}
	return false
}
