// Package compose brings docker-compose.yml up as a person does, under a
// project, ports, keys and an image name of its own, and attacks it: the
// browser tests, LocalStack restarted under load, workers and a reader killed
// with -9, more workers; after each an audit. `make compose` runs it; without a
// Docker engine it is skipped, loudly. Whatever happens, it ends with
// `docker compose down --volumes`.
package compose
