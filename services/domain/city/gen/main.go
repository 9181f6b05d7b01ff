// Command gen writes services/domain/city/data from the OpenStreetMap extract in
// npm @mapbox/mvt-fixtures 4.0.0 (real-world/osm-qa-montevideo). Run it in its own
// folder, which is a module of its own:
//
//	npm pack @mapbox/mvt-fixtures@4.0.0 && tar xzf mapbox-mvt-fixtures-4.0.0.tgz
//	go run . package/real-world/osm-qa-montevideo ../data
//
// The extract has eight tiles of zoom 12 with an extent of 2^20. Ways are cut at
// tile edges, so gen joins them again where their ends meet (0.3 m apart at most).
// The shore's lines have no tag that says so, but a note: see sea.go.
package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: gen TILES-FOLDER DATA-FOLDER"))
	}

	features, err := readTiles(os.Args[1])
	if err != nil {
		fail(err)
	}

	out := os.Args[2]
	g := buildGraph(features)
	if err := writeGzip(filepath.Join(out, "streets.bin.gz"), g.encode(features)); err != nil {
		fail(err)
	}

	layers, err := baseMap(features)
	if err != nil {
		fail(err)
	}
	for name, layer := range layers {
		b, err := json.Marshal(layer)
		if err != nil {
			fail(err)
		}
		if err := writeGzip(filepath.Join(out, "map", name+".json.gz"), b); err != nil {
			fail(err)
		}
	}
}

func writeGzip(path string, b []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}

	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}

	// Close writes the last block, so its error counts as a failed write.
	if _, err := z.Write(b); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}

	info, err := f.Stat()
	if err != nil {
		return err
	}
	fmt.Printf("%-60s %7d kB, %7d kB unpacked\n", path, info.Size()/1000, len(b)/1000)
	return f.Close()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "gen:", err)
	os.Exit(1)
}
