#!/bin/sh
# promtool.sh ARGS: Prometheus' checker of configurations and rules. Its module replaces
# others, so that `go run …@version` refuses it; a module that requires it does not care.
set -eu
version=v0.305.0 # Prometheus 3.5.0, as in docker-compose.yml
bin="${XDG_CACHE_HOME:-$HOME/.cache}/tandem/promtool-$version"

if [ ! -x "$bin" ]; then
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	(cd "$dir" && go mod init promtool && go get "github.com/prometheus/prometheus/cmd/promtool@$version" &&
		go build -o "$bin" github.com/prometheus/prometheus/cmd/promtool) >&2
fi
"$bin" "$@"
