package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"strings"
)

// cityMark stands in index.html where the version of the city's files goes.
const cityMark = "__CITY_VERSION__"

// cityVersion returns a text that is another one when a file of the city is.
func cityVersion(files fs.FS) string {
	sum := sha256.New()

	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		_, _ = io.WriteString(sum, name) // a hash takes everything
		_, _ = sum.Write(content)
		return err
	})
	if err != nil {
		return "" // then no address is for good
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

// city serves the files of the base map at /city/VERSION/map/NAME.json. A browser keeps
// what has the version of now, as that address never has another content. A page that
// was loaded before an update, or that knows no version, gets the files as well.
func city(embedded fs.FS, version string) http.Handler {
	served := newFiles(embedded, nothing)

	return http.StripPrefix("/city/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, file, _ := strings.Cut(r.URL.Path, "/")
		if asked == "map" {
			file = r.URL.Path
		}
		r.URL.Path = "/" + file
		served.serve(w, r, asked == version)
	}))
}
