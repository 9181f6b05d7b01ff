package history

import (
	"encoding/binary"
	"math"
	"time"
)

// The layout is in doc.go; a point's is that of a vehicle in mapfeed's frames.
const (
	playbackVersion = 1
	kindPlayback    = 3
	speedUnknown    = 1
	headingUnknown  = 2
)

// encodePlayback returns a page in binary. Arrivals are counted from from; next is empty
// where there is no more.
func encodePlayback(from time.Time, page []played, next string) []byte {
	numbers := map[string]uint32{} // of drivers
	var names []byte
	base := from.UnixMilli()

	b := make([]byte, 16, 16+40*len(page))
	for _, p := range page {
		n, ok := numbers[p.Driver]
		if !ok {
			n = uint32(len(numbers))
			numbers[p.Driver] = n
			names = appendText(names, p.Driver)
		}
		b = appendPlayed(b, n, base, p)
	}

	b[0], b[1] = playbackVersion, kindPlayback
	binary.LittleEndian.PutUint16(b[2:], uint16(len(numbers)))
	binary.LittleEndian.PutUint32(b[4:], uint32(len(page)))
	binary.LittleEndian.PutUint64(b[8:], math.Float64bits(float64(base)))
	return appendText(append(b, names...), next)
}

func appendPlayed(b []byte, driver uint32, base int64, p played) []byte {
	speed, noSpeed := measured(p.Speed, speedUnknown)
	heading, noHeading := measured(p.Heading, headingUnknown)

	b = binary.LittleEndian.AppendUint32(b, driver)
	b = binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(p.Lat*1e7))))
	b = binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(p.Lon*1e7))))
	b = binary.LittleEndian.AppendUint16(b, uint16(min(max(speed, 0), math.MaxUint16)))
	b = binary.LittleEndian.AppendUint16(b, uint16(math.Mod(heading, 36_000)))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(time.Time(p.At).UnixMilli())))
	b = binary.LittleEndian.AppendUint32(b, uint32(time.Time(p.Arrived).UnixMilli()-base))
	b = binary.LittleEndian.AppendUint32(b, noSpeed|noHeading)
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(p.Seq)))
}

// measured returns hundredths of x and no flag, or flag where x is not known.
func measured(x *float32, flag uint32) (float64, uint32) {
	if x == nil {
		return 0, flag
	}
	return math.Round(float64(*x) * 100), 0
}

// appendText writes a text of at most 255 bytes behind its length.
func appendText(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }
