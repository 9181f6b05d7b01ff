// Package web embeds the built web app, which `npm run build` writes to dist. The
// binary builds also without it; then the gateway answers how to build it.
package web

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// App returns the built app's files, with index.html at the root.
func App() fs.FS {
	app, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(fmt.Sprintf("web: %v", err)) // it cannot fail: "dist" is a valid path
	}

	return app
}
