package city

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"tandem/services/domain/geo"
)

//go:embed data/streets.bin.gz
var streets []byte

//go:embed data/map
var files embed.FS

// Files returns what goes to the browser: map/NAME.json.gz.
func Files() fs.FS {
	sub, err := fs.Sub(files, "data")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// ErrData is wrapped when the embedded streets cannot be read.
var ErrData = errors.New("city: the street data is damaged")

const magic = "TANDEM-CITY-1\n"

// Load reads the embedded streets: about 50 ms, 20 MB.
func Load() (*City, error) {
	z, err := gzip.NewReader(bytes.NewReader(streets))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	return parse(raw)
}

// parse reads what gen's encode wrote. It never panics: a damaged length or
// index is ErrData.
func parse(raw []byte) (*City, error) {
	if !bytes.HasPrefix(raw, []byte(magic)) {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrData, magic)
	}

	d := &decoder{rest: raw[len(magic):]}
	c := &City{}
	for range d.count() {
		c.names = append(c.names, d.text())
	}
	var at position
	for range d.count() {
		c.nodes = append(c.nodes, at.next(d))
	}
	for range d.count() {
		if !c.readEdge(d) {
			break
		}
	}
	at = position{}
	for range d.count() {
		label, kind := d.text(), d.text()
		c.spots = append(c.spots, spot{label: label, kind: kind, at: at.next(d)})
	}
	if d.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, d.err)
	}

	c.index()
	return c, nil
}

func (c *City) readEdge(d *decoder) bool {
	from, to, kmh, both := d.num(), d.num(), d.num(), d.num() == 1
	name, n := d.num(), d.count()
	if d.err != nil {
		return false
	}

	nodes := int64(len(c.nodes))
	if from < 0 || to < 0 || from >= nodes || to >= nodes || name < 0 || name >= int64(len(c.names)) || kmh <= 0 || kmh > 200 {
		d.err = fmt.Errorf("edge %d names a node or a street that does not exist", len(c.edges))
		return false
	}

	points := make([]geo.Point, 1, n+2)
	points[0] = c.nodes[from]
	at := position{}
	at.set(c.nodes[from])
	for range n {
		points = append(points, at.next(d))
	}
	points = append(points, c.nodes[to])

	e := edge{from: int32(from), to: int32(to), speed: float64(kmh) / 3.6, both: both, name: int32(name), points: points}
	for i := 1; i < len(points); i++ {
		e.length += geo.Distance(points[i-1], points[i])
	}
	c.edges = append(c.edges, e)
	return d.err == nil
}

// position decodes places as differences in millionths of a degree.
type position struct{ lat, lon int64 }

func (p *position) set(g geo.Point) { p.lat, p.lon = micro(g.Lat), micro(g.Lon) }

func (p *position) next(d *decoder) geo.Point {
	p.lat += d.num()
	p.lon += d.num()
	return geo.Point{Lat: float64(p.lat) / 1e6, Lon: float64(p.lon) / 1e6}
}

func micro(deg float64) int64 {
	if deg < 0 {
		return int64(deg*1e6 - 0.5)
	}
	return int64(deg*1e6 + 0.5)
}

type decoder struct {
	rest []byte
	err  error
}

var errShort = errors.New("it ends too early")

func (d *decoder) num() int64 {
	n, size := binary.Varint(d.rest)
	if size <= 0 {
		d.err, d.rest = errShort, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

// count reads how many things follow. Each takes a byte at least: a damaged count
// is noticed here, not by the memory that it would take.
func (d *decoder) count() int {
	n := d.num()
	if n < 0 || n > int64(len(d.rest)) {
		d.err, d.rest = errShort, nil
		return 0
	}
	return int(n)
}

func (d *decoder) text() string {
	n := d.count()
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}
