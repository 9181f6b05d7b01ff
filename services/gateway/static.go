package gateway

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
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
func files(embedded fs.FS) http.Handler {
	server := statigz.FileServer(readDirFS{embedded}, statigz.EncodeOnInit, statigz.OnNotFound(nothing))

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache") // the browser asks each time, with the ETag
		if strings.HasPrefix(r.URL.Path, "/assets/") && server.Found(r) {
			// The name of an asset has a hash of its content, so it never changes.
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		server.ServeHTTP(w, r)
	})
}

// app serves the web app: its files, and index.html at every path that names no
// file, where the app's own router takes over.
func app(embedded fs.FS) http.Handler {
	assets := files(embedded)
	index, err := fs.ReadFile(embedded, "index.html")
	built := err == nil

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		get := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch page := path.Ext(r.URL.Path) == "" || r.URL.Path == "/index.html"; {
		case !page:
			assets.ServeHTTP(w, r)
		case !get:
			nothing(w, r)
		case !built:
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprintln(w, "The web app has not been built into this binary: run `make web build`.")
		default:
			writePage(w, index)
		}
	})
}

// writePage answers with index.html. The nonce is new each time: it lets the
// page's own tags run, and no others.
func writePage(w http.ResponseWriter, index []byte) {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // it never fails
	text := base64.StdEncoding.EncodeToString(nonce)

	w.Header().Set("Content-Security-Policy", contentPolicy(text))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(bytes.ReplaceAll(index, []byte(nonceMark), []byte(text))) // this fails only when the client has gone
}

func contentPolicy(nonce string) string {
	return "default-src 'self'; script-src 'self' 'nonce-" + nonce + "'; style-src 'self' 'nonce-" + nonce +
		"'; worker-src 'self' blob:; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; " +
		"object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
}
