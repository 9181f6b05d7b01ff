package mapfeed

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"tandem/services/domain/geo"
)

// A cell is about 1.1 km high: a view of a part of a city has some dozen of them.
const cellSize = 1e7 / 100 // hundredths of a degree, as a vehicle's place is encoded

// cell is a place's row and column, in this order: the cells of one row that a view
// has lie side by side.
type cell uint32

// cellOf is where a vehicle lies whose place is encoded as lat and lon: what is rounded
// to another cell lies in that cell.
func cellOf(lat, lon int32) cell {
	const quarter = 90 * 1e7
	return at(uint32((int64(lat)+quarter)/cellSize), uint32((int64(lon)+2*quarter)/cellSize))
}

func at(row, column uint32) cell { return cell(row<<16 | column) }
func (c cell) row() uint32       { return uint32(c >> 16) }
func (c cell) column() uint32    { return uint32(c & math.MaxUint16) }

// fixed is degrees as they are encoded.
func fixed(degrees float64) int32 { return int32(math.Round(degrees * 1e7)) }

// placed are vehicles, encoded and sorted by cell. It is never changed.
type placed struct {
	cells []cell
	bytes []byte // vehicleBytes of each, in the same order
}

// place encodes vehicles as they are at now.
func place(vehicles []*vehicle, now time.Time) *placed {
	type one struct {
		cell cell
		v    *vehicle
	}
	sorted := make([]one, len(vehicles))
	for i, v := range vehicles {
		sorted[i] = one{cellOf(fixed(v.point.Lat), fixed(v.point.Lon)), v}
	}
	slices.SortFunc(sorted, func(a, b one) int { return cmp.Compare(a.cell, b.cell) })

	p := &placed{cells: make([]cell, len(sorted)), bytes: make([]byte, 0, vehicleBytes*len(sorted))}
	for i, o := range sorted {
		p.cells[i] = o.cell
		p.bytes = appendVehicle(p.bytes, o.v, now)
	}
	return p
}

// view is what a client looks at, as places are encoded.
type view struct {
	west, south, east, north int32
	wraps                    bool // it crosses the antimeridian
	first, last              cell // the corners'
}

func viewOf(b geo.Box) view {
	v := view{west: fixed(b.West), south: fixed(b.South), east: fixed(b.East), north: fixed(b.North), wraps: b.West > b.East}
	v.first, v.last = cellOf(v.south, v.west), cellOf(v.north, v.east)

	// Such a view has two ranges of columns: all of them are looked through.
	if v.wraps {
		v.first, v.last = cellOf(v.south, fixed(-180)), cellOf(v.north, fixed(180))
	}
	return v
}

// contains reports whether an encoded vehicle lies in it.
func (v view) contains(vehicle []byte) bool {
	lat, lon := latOf(vehicle), lonOf(vehicle)
	if lat < v.south || lat > v.north {
		return false
	}
	if v.wraps {
		return lon >= v.west || lon <= v.east
	}
	return lon >= v.west && lon <= v.east
}

// each calls tell with every vehicle in the view. Rows and columns that the view does
// not have are passed over.
func (p *placed) each(v view, tell func(vehicle []byte)) {
	for i := p.from(0, v.first); i < len(p.cells); {
		switch c := p.cells[i]; {
		case c.row() > v.last.row():
			return
		case c.column() < v.first.column():
			i = p.from(i, at(c.row(), v.first.column()))
		case c.column() > v.last.column():
			i = p.from(i, at(c.row()+1, v.first.column()))
		default:
			if one := p.bytes[i*vehicleBytes:][:vehicleBytes]; v.contains(one) {
				tell(one)
			}
			i++
		}
	}
}

// from returns the first place at or after i whose cell is not before c.
func (p *placed) from(i int, c cell) int {
	return i + sort.Search(len(p.cells)-i, func(k int) bool { return p.cells[i+k] >= c })
}
