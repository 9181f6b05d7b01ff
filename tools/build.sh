#!/bin/sh
# Builds bin/tandem, or with the argument web the web app alone. Go's packages are
# compiled while npm downloads and Vite builds; the app is linked in at the end. When
# it takes long, one line says what is left. VERSION is what tandem says of itself.
set -u
cd "$(dirname "$0")/.." || exit 1

# gin without MessagePack, which nothing here speaks, is built a quarter faster. No C
# compiler is needed, as in the image.
tags='-trimpath -tags nomsgpack'
export CGO_ENABLED=0
main=./services/cmd/tandem
began=$(date +%s)

log=$(mktemp -d) || exit 1
trap 'rm -rf "$log"' EXIT
trap 'exit 130' INT TERM

say() { printf '%s\n' "$*"; }
fail() { [ ! -t 1 ] || printf '\r\033[K'; say "$*" >&2; exit 1; }

needs() {
  node=$(node --version 2>/dev/null) && command -v npm >/dev/null ||
    fail "Node is missing: install Node ^20.19 or >= 22.12 (https://nodejs.org), then try again."
  node -e 'const [a,b]=process.versions.node.split(".").map(Number); process.exit(a===20&&b>=19||a===22&&b>=12||a>22?0:1)' ||
    fail "Node $node is too old: install ^20.19 or >= 22.12 (https://nodejs.org), then try again."
  [ "$what" = web ] && return

  command -v go >/dev/null || fail "Go is missing: install Go 1.26 or newer (https://go.dev/dl), then try again."
  # A Go from 1.21 on downloads the one that go.mod names, where it may.
  reason=$(go list -m 2>&1) ||
    fail "Go 1.26 or newer is needed, and this is $(cd / && go version | cut -d " " -f 3) ($(say "$reason" | tail -n 1)): install it (https://go.dev/dl), then try again."
}

network='Is this machine on the network? Behind a proxy set HTTPS_PROXY; where the proxy signs certificates itself,
set NODE_EXTRA_CA_CERTS (npm) and SSL_CERT_FILE (Go); for a mirror, npm config set registry and GOPROXY. Then try again.'

# web builds the app where a source is newer than the build.
web() {
  if [ ! web/node_modules/.package-lock.json -nt web/package-lock.json ]; then
    say "the web app's packages (90 MB, once), the web app, " >"$log/web"
    npm --prefix web ci --no-audit --no-fund --no-update-notifier --loglevel=error --fetch-retry-maxtimeout=10000 >"$log/npm" 2>&1 ||
      { cat "$log/npm" >&2; fail "npm could not install the web app's packages. $network"; }
    touch web/node_modules/.package-lock.json
  fi

  newer=$(find web/src web/index.html web/*.ts web/*.json docs/openapi.yaml docs/tutorial -type f -newer web/dist/index.html 2>&1)
  if [ -n "$newer" ]; then
    say 'the web app, ' >"$log/web"
    npm --prefix web run --silent build -- --logLevel warn >"$log/npm" 2>&1 ||
      { cat "$log/npm" >&2; fail "The web app could not be built: the reason is above."; }
    touch web/dist/index.html web/dist/.gitkeep
  fi
  : >"$log/web"
}

line() {
  all=$(wc -l <"$log/deps" | tr -d ' ')
  if [ -e "$log/compiled" ]; then go=
  elif [ "$all" = 0 ]; then go="Go's modules, Go packages, "
  else go="Go packages ($(grep -cv '^go: ' "$log/go") of at most $all compiled), "; fi
  say "left: $(cat "$log/web")${go}linking   $(($(date +%s) - began)) s"
}

# show repeats the line in place on a terminal, and prints it every 10 s elsewhere. It
# ends with the folder, since a process in the background does not hear Ctrl-C.
show() {
  seconds=0
  while sleep 1 && [ -d "$log" ]; do
    seconds=$((seconds + 1))
    if [ $seconds -lt 2 ]; then continue; fi
    if [ -t 1 ]; then printf '\r\033[K%.79s' "$(line)"; elif [ $((seconds % 10)) = 2 ]; then line; fi
  done 2>/dev/null
}

what=${1-}
needs
: >"$log/web"
[ "$what" = web ] && { web; exit; }

# shellcheck disable=SC2086 # tags are words
go list $tags -deps $main 2>/dev/null >"$log/deps" &
# It compiles every package and links nothing.
# shellcheck disable=SC2086
go list $tags -export -deps -v $main >/dev/null 2>"$log/go" &
compiling=$!
show &
trap 'kill $compiling $! 2>/dev/null; rm -rf "$log"' EXIT
web

# A failure may be that of files of the web app which were replaced while Go read them:
# once more, now that the app is there.
# shellcheck disable=SC2086
if ! wait $compiling && ! go list $tags -export -deps -v $main >/dev/null 2>"$log/go"; then
  grep -v '^go: downloading' "$log/go" | grep -E '[ :]' >&2
  grep -qE 'dial tcp|proxyconnect|no such host|i/o timeout|x509|Forbidden|Bad Gateway' "$log/go" && fail "Go could not download its modules. $network"
  fail "Go could not compile Tandem: the reason is above."
fi
: >"$log/compiled"
# shellcheck disable=SC2086
go build $tags -ldflags "-s -w -X main.version=${VERSION:-dev}" -o bin/tandem $main || fail "Go could not link Tandem: the reason is above."

rm -rf "$log" # the line is not shown again
[ -t 1 ] && printf '\r\033[K'
took=$(($(date +%s) - began))
[ $took -lt 5 ] || say "built bin/tandem in $took s"
