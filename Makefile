# One set of flags for every build, so that all share one cache.
export GOFLAGS := -trimpath -buildvcs=false

# The version in every binary, report and stack: the tag, or the commit.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
linked := -X github.com/relight-aws/relight/internal/version.linked=$(VERSION)

# Processor of the Lambdas: arm64, or x86_64 for a local cloud on such a machine.
export RELIGHT_ARCH ?= arm64
goarch_arm64 := arm64
goarch_x86_64 := amd64

export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

# The Chromium of this machine; make test installs one from npm if there is none.
browser = $(or $(CHROME),$(firstword $(foreach name,google-chrome chromium chromium-browser,$(shell command -v $(name)))))

relight := build/relight
tools := go tool -modfile=go.tool.mod

.DEFAULT_GOAL := help
.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Proof

.PHONY: demo
demo: need node_modules .venv $(relight) ## Deploy, attack and heal an AWS account on this machine
	$(relight) lab demo

.PHONY: lab
lab: need node_modules .venv $(relight) ## Keep that account up, to attack it by hand (PORT=4566, ACCOUNTS=3)
	$(relight) lab --port $(or $(PORT),0) --accounts $(or $(ACCOUNTS),1)

.PHONY: test
test: need node_modules .venv $(if $(browser),,chromium) quick ## Run every test, the stack's and the local cloud's included
	go test -run 'CutsAreUndone|Any' ./internal/app -pairs -rapid.checks=100
	go test -count=1 -run 'Figures|AnyPhase' ./internal/app -measured
	go test -count=1 -run TestBrowser ./internal/audit/page -browser
	go test -count=1 -run TestBinaries -timeout 30m ./internal/bench/startup -binaries
# The longest packages of the local cloud wait more than they work. So the longest begins first, and its
# longest test but one has a process and a cloud of its own.
	go test -count=1 -timeout 40m -run '^TestGuardCuts$$' ./internal/lab/e2e & cuts=$$!; \
		go test -count=1 -timeout 40m -skip '^TestGuardCuts$$' ./internal/lab/e2e ./infra/... ./internal/lab/...; others=$$?; \
		wait $$cuts && exit $$others

# The part to run while working: no Node, no Python, no local cloud.
.PHONY: quick
quick: ## Run the tests that need nothing but Go
	go test $$(go list ./... | grep -v -e /infra -e /internal/lab)

# What AWS is only assumed to do, the other way round: docs/aws-beliefs.md.
.PHONY: beliefs
beliefs: ## Run every attack under the other way of every assumed belief about AWS
	go test -count=1 -timeout 30m -run 'Doubts|OtherShape' ./internal/app -beliefs -rapid.checks=100

# Prowler needs some minutes to install, and 2.3 GB: make test does without. RECORD keeps the
# figures of docs/prowler.md.
.PHONY: prowler
prowler: need node_modules .venv build/prowler ## Compare relight audit with Prowler, check by check (RECORD=docs/prowler.json)
	go test -v -count=1 -timeout 40m -run TestProwler ./internal/lab/e2e -prowler $(CURDIR)/build/prowler $(if $(RECORD),-record $(abspath $(RECORD)))

# docs/figures.md says what they mean. RECORD=1 records them there.
.PHONY: bench
bench: figures := build/bench.txt
bench: ## Print the figures of docs/figures.md, a line each: name, value and unit (RECORD=1)
	@command -v go >/dev/null || { echo "make bench needs go, which is not installed: see Prerequisites in README.md" >&2; exit 1; }
	@mkdir -p build
	@go test -count=1 -timeout 20m -v -run Figures ./internal/app -measured -show $(if $(RECORD),-record) > $(figures).log 2>&1; failed=$$?; \
		go test -count=1 -v -run TestMeasured ./internal/bench -measured >> $(figures).log 2>&1 || failed=1; \
		go test -count=1 -v -run TestBinaries ./internal/bench/startup -binaries >> $(figures).log 2>&1 || failed=1; \
		awk 'NF == 3 && $$1 ~ /^[a-z].*\// && $$2 ~ /^[0-9.]+$$/ { print $$1, $$2, $$3 }' $(figures).log | tee $(figures); \
		test $$failed = 0 || { grep -aE '_test.go:|^panic|^FAIL' $(figures).log >&2; exit 1; }
ifdef RECORD
	@{ printf '# %s, on a machine with %s cores\n' "$$(LC_ALL=C date -u '+%-d %B %Y')" "$$(getconf _NPROCESSORS_ONLN)"; \
		grep -E '^(memory|time|allocations|package|start)/' $(figures); } > docs/figures/measured.txt
	@go test ./docs -update
endif

.PHONY: fuzz
fuzz: ## Fuzz the parsers of events, policies and filter patterns, for a minute each
	go test -run '^$$' -fuzz FuzzParse -fuzztime 1m ./internal/trigger
	go test -run '^$$' -fuzz FuzzParse -fuzztime 1m ./internal/iampolicy
	go test -run '^$$' -fuzz FuzzParse -fuzztime 1m ./internal/pattern

.PHONY: lint
lint: ## Check format and style
	@unformatted=$$($(tools) gofumpt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "run gofumpt on: $$unformatted"; exit 1; }
	go vet ./...
	$(tools) golangci-lint run
	go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 # no other tool builds with its YAML library

## By hand

.PHONY: replay
replay: $(relight) ## Plan for a sample event as if it were of your account (EVENT=events/CreateVpc.default.json)
	$(relight) replay --here $(or $(EVENT),$(error say which event: make replay EVENT=events/CreateVpc.default.json))

.PHONY: backfill
backfill: $(relight) ## Have the deployed function sweep the account now
	$(relight) backfill

## Deployment

# Where the binaries go.
out ?= build

# The CDK CLI runs this before each synthesis, as cdk.json says.
.PHONY: build
build: functions ## Build the Lambdas and the CDK app
	go build -ldflags "-s -w $(linked)" -o build/cdk ./infra

# What keeps a package small: no HTTP/2, and no inlined functions but in those of Go's packages
# that do most of the work when a function starts, and in cryptography. See
# docs/adr/0032-start-and-size.md.
inlined := crypto/internal/... internal/... regexp/... runtime/... slices strings sync/... unicode/...
small := -tags lambda.norpc,nethttpomithttp2 '-gcflags=all=-l' $(inlined:%='-gcflags=%=')

# What is built as the Lambdas are.
programs ?= ./functions/...

.PHONY: functions
functions:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(goarch_$(RELIGHT_ARCH)) go build $(small) -ldflags "-s -w $(linked)" -o $(out)/$(RELIGHT_ARCH)/ $(programs)

# Archives that deploy with the AWS CLI, and the command line for each system; CONFIG is a
# configuration of your own. Two builds of one commit have the same bytes.
systems := linux_amd64 linux_arm64 darwin_amd64 darwin_arm64 windows_amd64 windows_arm64

.PHONY: release
release: need node_modules $(systems:%=$(out)/commands/%) ## Build the archives of a release in build/release
	rm -rf $(out)/release
	for arch in arm64 x86_64; do $(MAKE) -s functions RELIGHT_ARCH=$$arch || exit 1; done
	$(MAKE) -s $(out)/archive
	$(out)/archive -out $(out)/release -binaries $(out) -commands $(out)/commands -arch arm64,x86_64 -config "$(CONFIG)" \
		-epoch $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct))
	cat $(out)/release/SHA256SUMS

.PHONY: $(out)/archive
$(out)/archive:
	go build -ldflags "-s -w $(linked)" -o $@ ./infra/release

.PHONY: $(systems:%=$(out)/commands/%)
$(systems:%=$(out)/commands/%):
	CGO_ENABLED=0 GOOS=$(word 1,$(subst _, ,$(@F))) GOARCH=$(word 2,$(subst _, ,$(@F))) go build -ldflags "-s -w $(linked)" -o $@/ ./cmd/relight

.PHONY: synth
synth: need node_modules ## Write the CloudFormation templates to cdk.out
	npx cdk synth --quiet

.PHONY: diff
diff: need node_modules ## Show what a deployment would change
	npx cdk diff

.PHONY: deploy
deploy: need node_modules ## Deploy into the account of the environment
	npx cdk deploy --all

.PHONY: destroy
destroy: need node_modules ## Take the guard away; what it restored stays
	npx cdk destroy --all
	@echo "Filters, alarms, flow logs, log groups, the topics with their key, the delivery role and parameters stay."
	@echo "To list and remove them: make build/relight && build/relight remove"

## Set-up

.PHONY: need
need:
	@for tool in go node npm python3; do command -v $$tool >/dev/null || { echo "relight needs $$tool, which is not installed: see Prerequisites in README.md" >&2; exit 1; }; done

.PHONY: $(relight)
$(relight):
	go build -ldflags "$(linked)" -o $@ ./cmd/relight

node_modules: package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

.PHONY: chromium
chromium: need internal/audit/page/testdata/node_modules

internal/audit/page/testdata/node_modules: internal/audit/page/testdata/package-lock.json
	npm ci --no-audit --no-fund --prefix $(@D)
	@touch $@

# Throw it away with rm -rf.
build/prowler: internal/lab/prowler/requirements.txt
	rm -rf $@
	python3 -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.venv: requirements.txt
	python3 -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
