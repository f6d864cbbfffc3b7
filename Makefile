export GOFLAGS := -trimpath -buildvcs=false

# Processor of the Lambdas: arm64, or x86_64 for a local cloud on such a machine.
export RELIGHT_ARCH ?= arm64
goarch_arm64 := arm64
goarch_x86_64 := amd64

# The CDK CLI runs this before each synthesis, as cdk.json says.
.PHONY: build
build: ## Build the Lambdas and the CDK app
	CGO_ENABLED=0 GOOS=linux GOARCH=$(goarch_$(RELIGHT_ARCH)) go build -tags lambda.norpc -ldflags "-s -w" -o build/$(RELIGHT_ARCH)/ ./functions/...
	go build -ldflags "-s -w" -o build/cdk ./infra

node_modules: package-lock.json
	npm ci --no-audit --no-fund
	@touch node_modules

.PHONY: synth
synth: node_modules ## Write the CloudFormation templates to cdk.out
	npx cdk synth --quiet
