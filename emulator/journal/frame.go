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
	// growBy bounds what a length that went bad can make us allocate.
	growBy = 1 << 20
)

// errTorn ends a scan: what follows is no frame.
var errTorn = errors.New("journal: torn")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(length, payload []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, length), castagnoli, payload)
}

// FrameSize is how many bytes a payload of n bytes takes.
func FrameSize(n int) int64 { return frameHead + int64(n) }

// AppendFrame appends one frame to dst.
func AppendFrame(dst, payload []byte) []byte {
	head := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(payload)))
	dst = binary.LittleEndian.AppendUint32(dst, checksum(dst[head:head+4], payload))
	return append(dst, payload...)
}

// ReadFrame reads one frame from r into buf (grown as needed). io.EOF: the end;
// errTorn: what follows is no frame; else r could not be read.
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

// torn is errTorn at the end of what there is: a disk that cannot be read is
// another matter.
func torn(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}

// holdsFrame says whether b holds a whole frame anywhere.
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
