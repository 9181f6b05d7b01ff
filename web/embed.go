// Package web is the built web app, embedded: `npm run build` in this folder
// makes dist. Without it the binary builds all the same, and the gateway says
// what to do.
package web

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// App is the built app's files, with index.html at the root.
func App() fs.FS {
	app, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(fmt.Sprintf("web: %v", err)) // "dist" is a valid path
	}
	return app
}
