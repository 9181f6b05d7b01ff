package mapfeed

import (
	"encoding/binary"
	"math"
	"time"

	"tandem/services/domain/geo"
)

const (
	frameVersion = 1
	kindMoved    = 1
	kindAll      = 2
	headBytes    = 16
	vehicleBytes = 40
	maxVehicles  = math.MaxUint16
)

// encode returns a frame of the vehicles that lie in view, and how many they
// are. doc.go has the layout.
func encode(kind byte, vehicles []vehicle, view geo.Box, now time.Time) (frame []byte, count int) {
	b := make([]byte, headBytes, headBytes+vehicleBytes*min(len(vehicles), 512))
	for _, v := range vehicles {
		if count == maxVehicles || !view.Contains(geo.Point{Lat: v.point.Lat, Lon: v.point.Lon}) {
			continue
		}
		count++

		b = binary.LittleEndian.AppendUint32(b, v.id)
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(v.point.Lat*1e7))))
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(v.point.Lon*1e7))))
		b = binary.LittleEndian.AppendUint16(b, uint16(min(max(v.point.Speed, 0)*100, math.MaxUint16)))
		b = binary.LittleEndian.AppendUint16(b, uint16(math.Mod(v.point.Heading*100, 36_000)))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v.point.At)))
		b = binary.LittleEndian.AppendUint32(b, uint32(max(0, now.Sub(v.arrived).Milliseconds())))
		b = append(b, make([]byte, 12)...) // room for what a later version tells
	}

	// The head last, since only now the count is known.
	b[0], b[1] = frameVersion, kind
	binary.LittleEndian.PutUint16(b[2:], uint16(count))
	binary.LittleEndian.PutUint64(b[8:], math.Float64bits(float64(now.UnixMilli())))
	return b, count
}
