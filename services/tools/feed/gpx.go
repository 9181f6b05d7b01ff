package feed

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// readGPX reads the track points of a GPX file. Each track is a driver, by its
// name, or by the file's where it has none.
func (r *recording) readGPX(in *bufio.Reader) error {
	r.format = "GPX"
	dec := xml.NewDecoder(in)
	track, tracks := "", 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			// What was read before is whole: a file that was cut off is fed as far as it goes.
			line, _ := dec.InputPos()
			r.refuse(line, track, "not XML: "+err.Error())
			return nil //nolint:nilerr // refused by name
		}

		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		line, _ := dec.InputPos()
		switch start.Name.Local {
		case "trk":
			tracks++
			track = ""
		case "name":
			if err := dec.DecodeElement(&track, &start); err != nil {
				return fmt.Errorf("feed: GPX: %w", err)
			}
		case "trkpt":
			var p struct {
				Lat  string `xml:"lat,attr"`
				Lon  string `xml:"lon,attr"`
				Time string `xml:"time"`
			}
			if err := dec.DecodeElement(&p, &start); err != nil {
				r.refuse(line, track, "not XML: "+err.Error())
				return nil //nolint:nilerr // refused by name
			}
			r.lines++
			r.point(line, r.trackDriver(track, tracks), p.Time, p.Lat, p.Lon)
		}
	}
}

func (r *recording) trackDriver(name string, n int) string {
	switch {
	case r.opts.Driver != "":
		return r.opts.Driver
	case name != "":
		return name
	case n > 1:
		return r.name + "-" + strconv.Itoa(n)
	}
	return r.name
}
