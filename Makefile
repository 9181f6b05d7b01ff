# Tandem. Nothing is assumed but Go >= 1.26, Node ^20.19 or >= 22.12, and make.

ARGS ?=
BIN  := bin/tandem
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LINT := go tool -modfile=tools/go.mod golangci-lint
# A test that is slower than this hangs.
TEST_TIMEOUT := 10m

.DEFAULT_GOAL := help
.PHONY: help demo build web test unit e2e lint fmt audit feed soak clean needs

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## Run all of Tandem on this machine: make demo ARGS="--drivers 50 --addr 127.0.0.1:8081"
	@exec ./$(BIN) demo $(ARGS)

build: web ## Build bin/tandem, the web app in it
	@echo "building $(BIN)"
	@go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./services/cmd/tandem

web: web/dist/index.html ## Build the web app

# Rebuilt when a source is newer. npm names what it downloads.
web/dist/index.html: web/node_modules/.package-lock.json $(shell find web/src web/index.html web/*.ts web/*.json docs/openapi.yaml -type f 2>/dev/null)
	@echo "building the web app"
	@npm --prefix web run --silent build -- --logLevel warn
	@touch $@ web/dist/.gitkeep

web/node_modules/.package-lock.json: web/package-lock.json | needs
	@echo "downloading the web app's packages (about 90 MB, once)"
	@npm --prefix web ci --no-audit --no-fund --loglevel=error
	@touch $@

needs:
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "Node is missing: install Node ^20.19 or >= 22.12 (https://nodejs.org), then try again" >&2; exit 1; }
	@node -e 'const [a,b]=process.versions.node.split(".").map(Number); if (!(a===20&&b>=19||a===22&&b>=12||a>22)) { console.error(`Node $${process.versions.node} is too old: install ^20.19 or >= 22.12`); process.exit(1) }'

test: unit e2e ## Prove it: unit and property tests, web tests, the demo in a browser, and a round of kill -9

unit: web
	go vet ./...
	go run ./services/test/withpostgres go test -race -timeout $(TEST_TIMEOUT) ./...
	npm --prefix web test --silent

e2e: build ## Boot the demo, use it in a browser, kill every process, audit
	TANDEM_E2E=1 go test -count=1 -v -timeout 12m ./services/test/e2e

lint: web ## golangci-lint and TypeScript, strict
	$(LINT) run
	npm --prefix web run --silent lint

fmt: ## Format Go
	$(LINT) fmt

audit: ## Prove the guarantees on the running demo
	@./$(BIN) audit $(ARGS)

feed: ## Send a recording through the front door: make feed ARGS=trips.csv
	@./$(BIN) feed $(ARGS)

soak: build ## An hour of the demo, memory and disk at minutes 10 and 60
	TANDEM_SOAK=1h go test -count=1 -v -timeout 80m -run TestSoak ./services/test/e2e

clean: ## Remove what was built here (not the demo's data: tandem demo --fresh)
	rm -rf bin out web/node_modules web/dist/*
