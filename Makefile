# Tandem needs only Go >= 1.26, Node ^20.19 or >= 22.12, and make.

ARGS ?=
BIN  := bin/tandem
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LINT := go tool -modfile=tools/go.mod golangci-lint
# A test that takes longer than this has stopped making progress.
TEST_TIMEOUT := 10m

.DEFAULT_GOAL := help
.PHONY: help demo build web test unit e2e pages frozen tutorial mutants lint licences authz fmt audit feed soak chaos clean up down logs observe observe-check compose conformance sdk engine aws-messaging aws-messaging-down bench lines sim

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## Run all of Tandem on this machine: make demo ARGS="--drivers 50"; BACKEND=localstack make demo
	@exec ./$(BIN) demo $(ARGS)

# Docker compose with LocalStack. If a part does not start, its log is shown.
up: engine .env ## Run all of Tandem in containers, on LocalStack and Postgres, and print the addresses
	@TANDEM_VERSION=$(VERSION) docker compose up --build --wait $(ARGS) || { \
	  docker compose ps --all --format 'table {{.Service}}\t{{.Status}}' >&2; \
	  for s in postgres localstack migrate; do docker compose logs --no-log-prefix --tail 25 $$s >&2; done; \
	  echo "Tandem did not start. The parts' last log lines are above; docker compose logs SERVICE shows more." >&2; exit 1; }
	@at=$$(docker compose port gateway 8080); echo; \
	  printf '%s\n' "Tandem   no AWS account, no token, nothing leaves this machine    make down ends everything" \
	  " Map, book a ride      http://$$at/" \
	  " Queue and stream      http://$$at/admin" \
	  " In another terminal   docker compose run --rm audit     make logs     docker compose up -d --scale dispatch=4"

observe: engine .env ## make up, with traces in Jaeger, metrics in Prometheus and dashboards in Grafana beside it
	@COMPOSE_PROFILES=observe TANDEM_OTLP_ENDPOINT=http://jaeger:4318 $(MAKE) --no-print-directory up ARGS="$(ARGS)"
	@printf '%s\n' " Traces                http://$$(docker compose port jaeger 16686)/" \
	  " Dashboards            http://$$(docker compose port grafana 3000)/" \
	  " Alarms                http://$$(docker compose port prometheus 9090)/alerts"

observe-check: ## Have Prometheus' own promtool check deploy/observe: it is downloaded and built, which takes minutes
	@sh tools/promtool.sh check config deploy/observe/prometheus.yml
	@sh tools/promtool.sh test rules deploy/observe/alerts_test.yml

down: engine .env ## Stop the containers and keep Postgres' data (docker compose down --volumes deletes it)
	@docker compose --profile tools --profile observe down

logs: engine .env ## Follow the containers' logs
	@docker compose logs --follow --tail 20

engine:
	@docker compose version >/dev/null 2>&1 || { echo "docker compose is missing: install Docker with the compose plugin, version 2.20 or newer (https://docs.docker.com/compose/install/). Without Docker: make demo" >&2; exit 1; }
	@docker version >/dev/null 2>&1 || { echo "No Docker engine answers$${DOCKER_HOST:+ at $$DOCKER_HOST}: start Docker and try again. Without Docker: make demo" >&2; exit 1; }

# It is written only once: new keys would not fit the password that Postgres' volume keeps.
.env:
	@umask 077; key() { head -c "$$1" /dev/urandom | base64 | tr -d '\n'; }; hex() { od -An -tx1 -N "$$1" /dev/urandom | tr -d ' \n'; }; \
	  sed -e "s|^TANDEM_SIGNING_KEY=.*|TANDEM_SIGNING_KEY=$$(key 32)|" -e "s|^TANDEM_OPERATOR_KEY=.*|TANDEM_OPERATOR_KEY=$$(hex 32)|" \
	    -e "s|^POSTGRES_PASSWORD=.*|POSTGRES_PASSWORD=$$(hex 16)|" .env.example >.env.new && mv .env.new .env
	@echo "wrote .env with random keys, and every setting with its default"

build: ## Build bin/tandem, which contains the web app
	@VERSION=$(VERSION) sh tools/build.sh

web: ## Build the web app
	@sh tools/build.sh web

test: unit e2e sdk ## Run unit, property and web tests, then the demo in a browser and under kill -9, then AWS's SDKs against the emulator

unit: web
	go vet ./...
	go run ./services/test/withpostgres sh -c 'go test -race -timeout $(TEST_TIMEOUT) ./... && go -C services/bench test ./...'
	npm --prefix web test --silent

e2e: build ## Start the demo, use it in a browser, kill every process, audit
	TANDEM_E2E=1 go test -count=1 -v -timeout 12m ./services/test/e2e

pages: build ## Look at every page of the demo, on every screen, in odd browsers and with odd words
	TANDEM_PAGES=1 go test -count=1 -v -timeout 25m -run TestPagesOnEveryScreen ./services/test/e2e

frozen: build ## Freeze and kill parts of the demo, and see what its pages say
	TANDEM_FROZEN=1 go test -count=1 -v -timeout 15m -run TestPagesWhilePartsAreFrozenOrKilled ./services/test/e2e

tutorial: build ## Run every command of docs/tutorial on a demo of its own: make tutorial ARGS="-run Commands/03"
	TANDEM_TUTORIAL=1 go test -count=1 -v -timeout 25m $(ARGS) ./services/test/tutorial

mutants: web ## Plant bugs, one at a time, and see the tests catch each: make mutants ARGS="-quick", ARGS="-run ride"
	go run ./services/test/withpostgres go run ./services/test/mutants $(ARGS)

compose: ## Test docker compose: restart LocalStack, kill every process, audit
	TANDEM_COMPOSE=1 go test -count=1 -v -timeout 30m ./services/test/compose

conformance: ## Check that an endpoint behaves like AWS, by default the emulator: make conformance CONFORMANCE_ENDPOINT=http://127.0.0.1:4566
	CONFORMANCE_ENDPOINT=$(CONFORMANCE_ENDPOINT) go test -count=1 -v -timeout 30m ./emulator/conformance

sdk: ## Drive the emulator with AWS's SDKs for Python, JavaScript and Java, as far as this machine has them
	TANDEM_SDK=1 go test -count=1 -v -timeout 40m ./services/test/sdk

lint: web ## Run golangci-lint, and check TypeScript strictly
	$(LINT) run
	cd services/bench && go vet ./... && $(subst tools/,../../tools/,$(LINT)) run
	npm --prefix web run --silent lint

licences: ## Write the licences of what is in the binary anew, after a change of its modules
	@go run ./services/test/licences

authz: ## Write docs/authz.md anew, who may call what, after a change of routes or roles
	@go run ./services/test/authz

fmt: ## Format Go
	$(LINT) fmt

audit: ## Check the guarantees on the running demo
	@./$(BIN) audit $(ARGS)

feed: ## Send recorded trips or points to the running demo: make feed ARGS=trips.csv
	@./$(BIN) feed $(ARGS)

aws-messaging: build ## Deploy queues and stream on AWS, which costs money: make aws-messaging ARGS="--set Shards=8"
	@./$(BIN) messaging deploy --backend=aws $(ARGS)

aws-messaging-down: build ## Delete queues and stream on AWS, and check that nothing is left
	@./$(BIN) messaging delete --backend=aws $(ARGS)

bench: ## Compare the emulator with a stub, as ratios; into docs/benchmarks.md with ARGS=-queue or ARGS=-stream (the packages and their peers), or after make build with ARGS=-latency (from booking to offer) or ARGS=-growth (a point's cost at more shards and drivers)
	@cd services/bench && go run . $(ARGS)

lines: ## Measure how the code reads: blank and comment lines per room, file sizes
	@go run ./services/test/lines .

soak: build ## Run the demo for an hour, and compare memory and disk at minutes 10 and 60
	TANDEM_SOAK=1h go test -count=1 -v -timeout 80m -run TestSoak ./services/test/e2e

chaos: build ## Take nearby, Postgres, the workers, a fast SQS or a reader away for minutes, reshard under load, and audit (40 minutes): ARGS="-run Postgres"
	TANDEM_CHAOS=1 go test -count=1 -v -timeout 60m $(ARGS) ./services/test/e2e

SEEDS ?= 1-300
sim: ## Simulate a consumer group with faults, on a clock of its own: make sim SEEDS=1-1000
	TANDEM_SIM_SEEDS=$(SEEDS) go test -race -count=1 -timeout 60m -run Simulated ./services/internal/stream/shardgroup

clean: ## Remove what was built here (not the demo's data: tandem demo --fresh)
	rm -rf bin out my-*.txt web/node_modules web/dist/*
