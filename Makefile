# What CI runs is `make check`; everything else is for people.
GO ?= go
GOBIN := $(CURDIR)/.bin
LINT_VERSION := v2.15.0
FUZZTIME ?= 10s
BENCHTIME ?= 1s
COUNT ?= 5

.PHONY: check test lint tidy vuln fuzz bench golden demo build

check: lint tidy test ## format, vet, lint, race tests, tidy

build: ## a static binary in ./phiwatch
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o phiwatch ./cmd/phiwatch

test: ## the whole suite with the race detector
	$(GO) test -race ./...

lint: $(GOBIN)/golangci-lint
	$(GOBIN)/golangci-lint run ./...

$(GOBIN)/golangci-lint:
	GOBIN=$(GOBIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

tidy: ## go.mod and go.sum name what is used, no more
	$(GO) mod tidy -diff

vuln: ## known vulnerabilities (needs the network)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@latest ./...

fuzz: ## every fuzz target for FUZZTIME
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

bench: ## benchmarks, in a form for benchstat
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -count $(COUNT) ./... | tee bench.out

golden: ## rewrite golden files and show what changed
	$(GO) test ./alerting/... ./cmd/... ./ingest/... ./detectors/... -update; git diff --stat

demo: ## a made-up hospital's day
	$(GO) run ./cmd/phiwatch demo --once
