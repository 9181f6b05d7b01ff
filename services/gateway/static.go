package gateway

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/vearutop/statigz"
)

// nonceMark stands in index.html where the page's CSP nonce goes.
const nonceMark = "__CSP_NONCE__"

// readDirFS adds the method that statigz needs to any fs.FS.
type readDirFS struct{ fs.FS }

func (f readDirFS) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(f.FS, name) }

// files serves embedded files, compressed once at the start, with an ETag. A
// file that is there as name.gz alone is served as name.
type files struct{ *statigz.Server }

func newFiles(embedded fs.FS, notFound http.HandlerFunc) files {
	return files{statigz.FileServer(readDirFS{embedded}, statigz.EncodeOnInit, statigz.OnNotFound(notFound))}
}

// serve answers with a file, which the browser may keep forGood if its address never
// has another content. Else it asks each time, with the ETag.
func (f files) serve(w http.ResponseWriter, r *http.Request, forGood bool) {
	w.Header().Set("Cache-Control", "no-cache")
	if forGood && f.Found(r) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	f.ServeHTTP(w, r)
}

// pages returns the paths of the app's pages. web/src/app.tsx has one for each.
func pages() []string {
	return []string{"/", "/rider", "/driver", "/compare", "/learn", "/admin", "/admin/playback"}
}

// app serves the web app: its files, and index.html at the paths of its pages, where
// the app itself sees which page was asked for. At any other path it is asked for
// none: a browser gets the page that says so, and 404.
func app(embedded fs.FS, cityVersion string) http.Handler {
	index, err := fs.ReadFile(embedded, "index.html")
	if err != nil {
		return http.HandlerFunc(notBuilt)
	}

	index = bytes.ReplaceAll(index, []byte(cityMark), []byte(cityVersion))

	missing := func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept"), "text/html") {
			writePage(w, http.StatusNotFound, index)
			return
		}
		nothing(w, r)
	}
	assets := newFiles(embedded, missing)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		get := r.Method == http.MethodGet || r.Method == http.MethodHead
		// A slash at the end is not worth an error, and index.html is no page's path.
		switch page := path.Clean(r.URL.Path); {
		case !get:
			nothing(w, r)
		case slices.Contains(pages(), page):
			writePage(w, http.StatusOK, index)
		case page == "/index.html":
			missing(w, r)
		default:
			// The name of an asset has a hash of its content.
			assets.serve(w, r, strings.HasPrefix(r.URL.Path, "/assets/"))
		}
	})
}

func notBuilt(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotFound)
	_, _ = fmt.Fprintln(w, "The web app has not been built into this binary: run `make web build`.")
}

// writePage answers with index.html. The nonce is new each time: it lets the
// page's own tags run, and no others.
func writePage(w http.ResponseWriter, status int, index []byte) {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // it never fails
	text := base64.StdEncoding.EncodeToString(nonce)

	w.Header().Set("Content-Security-Policy", contentPolicy(text))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(bytes.ReplaceAll(index, []byte(nonceMark), []byte(text))) // this fails only when the client has gone
}

func contentPolicy(nonce string) string {
	return "default-src 'self'; script-src 'self' 'nonce-" + nonce + "'; style-src 'self' 'nonce-" + nonce +
		"'; worker-src 'self' blob:; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; " +
		"object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
}
