# Everything that can be done here. `make help` lists it.
# Nothing but Go and make is needed; what else a target uses it builds from the
# Go module proxy and keeps outside the tree, by version.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
MODULE  := github.com/prometheus/common/version
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
REVISION := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BRANCH  := $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w \
	-X $(MODULE).Version=$(VERSION) \
	-X $(MODULE).Revision=$(REVISION) \
	-X $(MODULE).Branch=$(BRANCH)

GOLANGCI := $(GO) tool -modfile=$(CURDIR)/tools/lint/go.mod golangci-lint
LINT     := $(GOLANGCI) run --allow-parallel-runners --config $(CURDIR)/.golangci.yml
FORMAT   := $(GOLANGCI) fmt --config $(CURDIR)/.golangci.yml
# What has code of its own beside the product.
MODULES := test tools/chart tools/dashboards tools/image tools/release
GENERATED := docs alerts dashboards deploy
ARGS   ?=
PKG    ?= ./...
BENCH  ?= .
COUNT  ?= 6

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

.PHONY: build
build: ## build ./daemonset_exporter
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o daemonset_exporter .

.PHONY: run
run: build ## run the exporter against your own kubeconfig (ARGS="--log.level=debug")
	./daemonset_exporter $(ARGS)

.PHONY: demo
demo: build ## show what it does on a real control plane (ARGS=--exit ends by itself)
	@cd test && $(GO) build -o $(CURDIR)/dist/demo ./demo
	@exec $(CURDIR)/dist/demo --exporter=$(CURDIR)/daemonset_exporter $(ARGS)

.PHONY: check
check: lint test-rules ## what is quick: lint, unit tests without -race, alerts and dashboards
	$(GO) test ./...
	cd tools/dashboards && $(GO) test -count=1 ./...
	cd tools/chart && $(GO) test ./...
	@# They read files outside their module, which Go's cache of results ignores.
	cd test && $(GO) test -count=1 ./scenarios/shipped ./synthetic
	cd test && $(GO) test -count=1 -run '^(TestAlerts|TestSpeedUp)$$' ./scenarios

.PHONY: verify
verify: generate ## fail if anything generated differs from what is in git
	@git --no-pager diff --exit-code -- $(GENERATED) || \
		{ echo 'make verify: the above is not staged: git add it if it is right'; exit 1; }
	@! git ls-files --others --exclude-standard -- $(GENERATED) | grep . || \
		{ echo 'make verify: the above is not in git: git add it if it is right'; exit 1; }

.PHONY: test
test: lint test-unit test-e2e ## all tests: lint, unit with -race, end to end

.PHONY: lint
lint: ## gofmt, go vet and the linters, in all modules (make fmt mends the format)
	$(GO) vet ./...
	$(LINT) ./...
	@for module in $(MODULES); do (set -x; cd $$module && $(GO) vet ./... && $(LINT) ./...) || exit 1; done

.PHONY: fmt
fmt: ## format the code
	$(FORMAT) ./...
	@for module in $(MODULES); do (set -x; cd $$module && $(FORMAT) ./...) || exit 1; done

.PHONY: cc
cc: # the race detector needs a C compiler
	@tools/need-cc

.PHONY: test-unit
test-unit: cc ## unit tests with -race, seconds
	CGO_ENABLED=1 $(GO) test -race $(PKG)

.PHONY: test-rules
test-rules: ## the alert rules and their tests by promtool: minutes the first time
	@# Without service discovery, which is most of promtool's code.
	$(GO) build -modfile=tools/prometheus/go.mod -tags=remove_all_sd -ldflags='-s -w' -o dist/ github.com/prometheus/prometheus/cmd/promtool
	dist/promtool check rules --lint-fatal alerts/daemonset_exporter.rules.yaml
	ls alerts/tests/*.yaml | xargs -n 1 -P 2 dist/promtool test rules

.PHONY: test-e2e
test-e2e: cluster build ## end to end on the real control plane, and against upstream's own code
	cd test && DAEMONSET_EXPORTER=$(CURDIR)/daemonset_exporter $(GO) test -timeout 30m -count=1 $$($(GO) list ./... | grep -v '/test/scenarios$$')
	cd test/cluster/upstream && $(GO) test -timeout 10m ./...

.PHONY: test-faults
test-faults: cluster build ## a bad hour of the API server, a minute for each fault (ARGS=-update writes docs/reliability.md)
	cd test && DAEMONSET_EXPORTER=$(CURDIR)/daemonset_exporter $(GO) test -timeout 60m -count=1 -v ./faults -args -long -lasting=1m $(ARGS)

.PHONY: test-skew
test-skew: cluster build ## the core stories on Kubernetes 1.30 to 1.37, hours the first time (ARGS="-update v1.32.13")
	cd test && DAEMONSET_EXPORTER=$(CURDIR)/daemonset_exporter $(GO) run ./skew $(ARGS)

.PHONY: test-scenarios
test-scenarios: cluster build ## every alert and dashboard with real Prometheus, Alertmanager and kube-state-metrics (ARGS=-update writes docs/comparison.md)
	@cd test && $(GO) run ./cluster/cmd/build -scenarios
	cd test && DAEMONSET_EXPORTER=$(CURDIR)/daemonset_exporter $(GO) test -timeout 30m -count=1 -v ./scenarios -args $(ARGS)

.PHONY: cluster
cluster: ## build the control plane for tests and demo: 10 minutes the first time
	@cd test && $(GO) run ./cluster/cmd/build

.PHONY: bench
bench: ## benchmarks, for benchstat (BENCH=Scrape COUNT=6)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...

.PHONY: bench-process
bench-process: ## what the whole process costs beside a synthetic API of 5,000 nodes (ARGS="-run million,kube-state-metrics")
	cd test && $(GO) run ./synthetic/cmd/measure $(ARGS)

.PHONY: docs
docs: ## generate docs/metrics.md, docs/configuration.md, docs/dependencies.md and the chart's README
	$(GO) run ./tools/docs
	cd tools/chart && $(GO) run . ../..

.PHONY: generate
generate: docs ## generate all that is generated: docs, dashboards, and the PrometheusRule from the rules
	cd tools/dashboards && $(GO) run . -out ../../dashboards
	cd test && $(GO) test ./scenarios/shipped -update

.PHONY: vulnerabilities
vulnerabilities: ## look for known vulnerabilities, where their database can be reached
	@tools/vulnerabilities

.PHONY: conform
conform: ## kubeconform against Kubernetes 1.32 to 1.37, where the schemas can be reached
	@tools/conform

.PHONY: release
release: ## make archives, image, chart, krew manifest, SBOMs and checksums in dist/release, and publish nothing
	@tools/release/release '$(VERSION)' '$(REVISION)' '$(BRANCH)'

.PHONY: fuzz
fuzz: ## fuzz decoding, slim objects, placement and state, 30 s each
	$(GO) test -run '^$$' -fuzz FuzzCutter -fuzztime 30s -fuzzminimizetime 10x ./informers
	$(GO) test -run '^$$' -fuzz FuzzRecords -fuzztime 30s -fuzzminimizetime 10x ./informers/slim
	$(GO) test -run '^$$' -fuzz FuzzPlacement -fuzztime 30s -fuzzminimizetime 10x ./collector/coverage
	$(GO) test -run '^$$' -fuzz FuzzCluster -fuzztime 30s -fuzzminimizetime 10x ./collector/state

.PHONY: clean
clean: ## remove what was built in the tree
	rm -rf daemonset_exporter dist
