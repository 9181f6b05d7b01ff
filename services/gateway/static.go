package gateway

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"tandem/services/internal/problem"
)

// nonceMark stands in index.html where the page's CSP nonce goes.
const nonceMark = "__CSP_NONCE__"

// static serves embedded files: compressed once, with an ETag. With app set,
// paths that name no file get index.html, which the app's router takes over.
type static struct {
	files fs.FS
	app   bool
	mu    sync.Mutex
	by    map[string]*staticFile
}

type staticFile struct {
	raw, gz    []byte
	etag, kind string
}

func newStatic(files fs.FS, app bool) *static {
	return &static{files: files, app: app, by: map[string]*staticFile{}}
}

func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		writeProblem(w, problem.New(problem.NotFound, "There is nothing to %s at %s.", r.Method, r.URL.Path))
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if s.app && (name == "" || path.Ext(name) == "" || name == "index.html") {
		s.serveApp(w)
		return
	}
	f, err := s.load(name)
	if err != nil {
		writeProblem(w, problem.New(problem.NotFound, "There is nothing at %s.", r.URL.Path))
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("ETag", f.etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") { // their names hold their hash
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := f.raw
	if f.gz != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.gz
	}
	if r.Header.Get("If-None-Match") == f.etag {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the client is gone if this fails
	}
}

// serveApp gives index.html with a fresh nonce.
func (s *static) serveApp(w http.ResponseWriter) {
	f, err := s.load("index.html")
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprintln(w, "The web app has not been built into this binary: run `make web build`.")
		return
	}
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand.Read
	nonce := base64.StdEncoding.EncodeToString(b)
	w.Header().Set("Content-Security-Policy", contentPolicy(nonce))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(bytes.ReplaceAll(f.raw, []byte(nonceMark), []byte(nonce)))
}

// load reads and compresses a file once. A name.gz beside a missing name is
// served as name.
func (s *static) load(name string) (*staticFile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.by[name]; ok {
		return f, nil
	}
	raw, err := fs.ReadFile(s.files, name)
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = s.unpack(name + ".gz")
	}
	if err != nil {
		return nil, err
	}
	f := &staticFile{raw: raw, kind: mime.TypeByExtension(path.Ext(name))}
	if f.kind == "" {
		f.kind = "application/octet-stream"
	}
	sum := sha256.Sum256(raw)
	f.etag = `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	if f.gz, err = compress(raw); err != nil {
		return nil, err
	}
	s.by[name] = f
	return f, nil
}

func (s *static) unpack(name string) ([]byte, error) {
	packed, err := s.files.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = packed.Close() }()
	z, err := gzip.NewReader(packed)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(z); err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// compress gives nil where it does not pay.
func compress(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(raw); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if b.Len() > len(raw)*9/10 {
		return nil, nil
	}
	return b.Bytes(), nil
}

func contentPolicy(nonce string) string {
	return "default-src 'self'; script-src 'self' 'nonce-" + nonce + "'; style-src 'self' 'nonce-" + nonce +
		"'; worker-src 'self' blob:; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; " +
		"object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
}

func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "geolocation=(), camera=(), microphone=()")
		next.ServeHTTP(w, r)
	})
}
