package main

import (
	"io/fs"
	"testing/fstest"
)

// webApp is the built web app.
func webApp() (fs.FS, error) {
	return fstest.MapFS{"index.html": {Data: []byte("<!doctype html><title>Tandem</title><h1>Tandem</h1>")}}, nil
}
