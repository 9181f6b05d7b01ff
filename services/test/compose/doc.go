// Package compose starts docker-compose.yml as a person does, but with a project,
// ports, keys and an image name of its own, and attacks it: it restarts LocalStack
// under load, kills workers and a reader with -9, adds workers and runs the browser
// tests, with an audit after each. `make compose` runs it; without a Docker engine
// it is skipped and says so. It always ends with `docker compose down --volumes`.
package compose
