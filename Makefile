# `make check` is what CI runs before its tests; everything else is for people.
GO ?= go
GOBIN := $(CURDIR)/.bin
LINT_VERSION := v2.15.0
VERSION ?= $(shell sed -n 's/^var version, commit = "\(.*\)", ""$$/\1/p' cmd/phiwatch/version.go)
FUZZTIME ?= 10s
BENCHTIME ?= 1s
COUNT ?= 6
ROUNDS ?= 1
SINCE ?= 26d36f4 # the first commit whose daemon ran, with 34 rules

# What plays events in many orders, in one goroutine: minutes under the race detector.
ORDERS := Test(Whole)?Catalog.*|TestNothingChangesByWaiting|TestOrderDoesNotMatterOverDays|TestRequestsDecideWhatIsOver|TestWhat(IsKnownByTwoNames|PassesWhileOpen|IsTakenBack).*

# What runs goroutines of its own.
RACE := ./alerting/... ./cmd/... ./ingest ./ingest/eventhub/... ./ingest/localhub/...

.PHONY: help check test race lint fmt tidy vuln fuzz bench since campaign golden demo build

help: ## what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | column -t -s "$$(printf '\t')"

check: lint tidy test race ## all that must hold before a commit

build: ## a static binary in ./phiwatch
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o phiwatch ./cmd/phiwatch

test: ## the whole suite
	$(GO) test ./...

# The kill tests and the README's commands are processes of their own, and the
# longest scripts and the orders have one goroutine: `make test` has them. Of the
# detectors Match alone is called by several goroutines.
race: ## the race detector over what is concurrent
	$(GO) test -race -skip '^(TestKilledAndStartedAgain|TestTheCatalogThroughKills|TestReadme|$(ORDERS))$$|^TestScripts$$/^(rules-tools|packs)$$' $(RACE)
	$(GO) test -race -run Concurrently ./detectors

lint: $(GOBIN)/golangci-lint ## format, vet and lint; .golangci.yml says what and why
	$(GOBIN)/golangci-lint run ./...

fmt: $(GOBIN)/golangci-lint ## write the format that lint wants
	$(GOBIN)/golangci-lint fmt ./...

$(GOBIN)/golangci-lint:
	GOBIN=$(GOBIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

tidy: ## go.mod and go.sum name what is used, no more
	$(GO) mod tidy -diff
	$(GO) mod verify

vuln: ## known vulnerabilities in what is called (needs the network)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@latest ./...

fuzz: ## every fuzz target for FUZZTIME; a crasher is committed as a seed
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; \
	  done; done

bench: ## the ratios of the performance targets, then every benchmark COUNT times into bench.out, for benchstat
	$(GO) test -p 1 -count 1 -v -run '^TestTargets$$' ./detectors ./cmd/phiwatch -targets
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -count $(COUNT) ./... | tee bench.out

since: ## decoding and matching at the commit SINCE and now, COUNT times in turns, through benchstat
	.ci/since $(SINCE) $(COUNT)

campaign: ## the whole catalog's events through daemons that are killed, ROUNDS times
	$(GO) test -count 1 -v -run '^TestTheCatalogThroughKills$$' ./cmd/phiwatch -campaign $(ROUNDS)

golden: ## rewrite golden files and show what changed
	@set -e; for pkg in $$(grep -rlE 'flag\.Bool\("update"|receivertest"' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
	  $(GO) test $$pkg -update; done
	git diff --stat

demo: ## a made-up hospital's day
	$(GO) run ./cmd/phiwatch demo --once
