# Everything here is one line of Go tooling, or a short script around it. What
# ships is built without cgo; only the race detector needs a C compiler.

GO            ?= go
SOURCES        = $(shell find . -name '*.go' -not -name '*.pb.go' -not -path '*/node_modules/*' -not -path './.tools/*')
BIN           := bin/easel
TOOLS         := $(CURDIR)/.tools
GOLANGCI      := v2.15.0
GOFUMPT       := v0.12.0
VERSITYGW     := v1.8.0
MINIO         := v0.0.0-20260212201848-7aac2a2c5b7c
FUZZTIME      ?= 20s
ROUNDS        ?= 50
MINUTES       ?= 45
TORTURE       ?=
PLATFORMS     := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
VERSION       := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
# What is worth the race detector's price. SQLite in Go is 26 times slower under
# it, so packages that mostly run SQL are tested without.
RACE_PKGS     := . ./actors/... ./auth/... ./blob/... ./cluster/... ./cmd/... ./cron/... ./e2e/linear ./gallery/... ./journal/... ./live/... ./pages/... ./transport/... ./wire/...

export CGO_ENABLED = 0

.DEFAULT_GOAL := help
.PHONY: help run cluster build test test-go test-web check race lint fuzz e2e s3 s3-servers torture torture-cluster models crash bounds bench docs clients web screenshots release clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-9s %s\n", $$1, $$2}'

run: ## start a node with a demo user and sample images on http://127.0.0.1:8080
	$(GO) run ./cmd/easel serve --dev

cluster: build $(TOOLS)/versitygw-$(VERSITYGW) ## three nodes on this machine, on a bucket of their own
	@scripts/cluster $(TOOLS)/versitygw-$(VERSITYGW)

build: ## build bin/easel
	$(GO) build -trimpath -o $(BIN) ./cmd/easel

# Two things at once only where one of them waits: tests on processors that are all
# busy tell less.
test: ## vet, formatting and all tests, the browser's too
	@$(MAKE) --no-print-directory -j2 check test-web
	@$(MAKE) --no-print-directory test-go
	@$(MAKE) --no-print-directory e2e

check: # formatting and vet
	@unformatted="$$(gofmt -l $(SOURCES))"; test -z "$$unformatted" || { echo "gofmt these files:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...

# Most packages wait for their disk or their clocks, so four of them share two
# processors. What check has vetted is not vetted again.
test-go: # every Go test but those of e2e
	$(GO) test -vet=off -p 4 $$($(GO) list ./... | grep -vE '/(client|clients|e2e)$$')

test-web: # the types of the page and its client, and what their tests need
	@scripts/web-test

race: ## the tests under the race detector, where it pays
	CGO_ENABLED=1 $(GO) test -race $(RACE_PKGS)

lint: $(TOOLS)/golangci-lint-$(GOLANGCI) $(TOOLS)/gofumpt-$(GOFUMPT) ## golangci-lint and gofumpt (built once, in .tools)
	@unformatted="$$($(TOOLS)/gofumpt-$(GOFUMPT) -l $(SOURCES))"; test -z "$$unformatted" || { echo "gofumpt these files:"; echo "$$unformatted"; exit 1; }
	$(TOOLS)/golangci-lint-$(GOLANGCI) run ./...

fuzz: ## every fuzz target for FUZZTIME (20s) each
	@scripts/fuzz $(FUZZTIME)

# Never from the cache: go test does not see that the binary has changed.
e2e: ## only the tests that drive the real binary: by hand, by its clients and by browser
	$(GO) test -vet=off -count=1 -p 4 -parallel 4 ./client ./clients ./e2e ./web/e2e

s3: s3-servers ## the tests on real S3 servers (built once, in .tools)
	$(GO) test -count=1 -run OnS3 ./blob ./journal
	$(GO) test -count=1 -v -timeout 60m -run OnS3 ./e2e -crash.rounds $(ROUNDS)

s3-servers: $(TOOLS)/versitygw-$(VERSITYGW) $(TOOLS)/minio-$(MINIO)

torture: s3-servers ## every long suite, with a table at the end, in MINUTES (45); TORTURE=-short is a part in 4
	$(GO) run ./e2e/torture -minutes $(MINUTES) $(TORTURE)

torture-cluster: ## what people see of nodes that crash, freeze, restart and are cut off, with a table, in MINUTES (45)
	$(GO) run ./e2e/torture -cluster -minutes $(MINUTES) $(TORTURE)

models: ## the models in full: power loss at every step, owners that fight, linearizability
	$(GO) test -count=1 -timeout 30m -run 'PowerLoss|Model' ./journal -journal.stride 1 -journal.rounds 500
	$(GO) test -count=1 -timeout 30m -run 'TestLinear$$' ./e2e -linear.seconds 20

crash: ## kill -9 the binary ROUNDS (50) times and compare what clients saw
	$(GO) test -count=1 -timeout 60m -run TestCrash ./e2e -crash.rounds $(ROUNDS)

# The bucket here is in the test's own process, so nothing has to be built for it.
bounds: # a bounded part of what torture does with buckets, clusters and many images
	$(GO) test -count=1 -timeout 20m -run 'TestCrashOnS3|TestZombieOnS3' ./e2e -s3.server fake -crash.rounds 10
	$(GO) test -count=1 -timeout 20m -run 'TestCluster(OwnerCrash|RollingRestart|Partition)' ./e2e -cluster.kills 10 -cluster.cuts 4
	$(GO) test -count=1 -timeout 20m -run SleepingImagesCost ./e2e -scale.few 2000 -scale.images 20000
	$(GO) test -count=1 -timeout 20m -run TestClusterModel ./actors -cluster.seeds 100
	$(GO) test -count=1 -timeout 20m -run TestRoomsFollow ./live -live.seeds 5000
	$(GO) test -count=1 -timeout 20m -run TestNodesShareAnImage ./live -sim.seeds 1500
	$(GO) test -count=1 -timeout 20m -run TestOwnersShareALog ./journal/fencing -sim.seeds 3000

bench: ## the benchmarks behind docs/benchmarks.md
	$(GO) test -run '^$$' -bench . -benchmem ./...

docs: ## regenerate the tables in docs/ from the code
	$(GO) test ./cmd/easel -run Docs -update
	$(GO) test ./transport -run Tables -update
	$(GO) test ./live -run FramesTable -update

clients: build ## regenerate what the TypeScript client knows of the routes (needs npm)
	cd clients/typescript && npm ci --no-fund --no-audit --loglevel=error && EASEL_BIN=$(CURDIR)/$(BIN) npm run --silent generate

web: ## rebuild the page's scripts (needs npm; the result is committed)
	$(MAKE) -C web build

screenshots: ## make the pictures in docs/ with a browser
	$(MAKE) -C web screenshots

release: ## binaries for four platforms with their sums, in dist/
	@rm -rf dist && mkdir -p dist
	@for p in $(PLATFORMS); do \
		out=dist/easel-$(VERSION)-$${p%/*}-$${p#*/}; echo $$out; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -ldflags '-s -w' -o $$out ./cmd/easel || exit 1; \
	done
	@cd dist && sha256sum easel-* > SHA256SUMS && cat SHA256SUMS

clean: ## remove what was built (never ./data)
	rm -rf bin dist .tools web/node_modules clients/typescript/node_modules clients/typescript/dist

$(TOOLS)/golangci-lint-$(GOLANGCI):
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv $(TOOLS)/golangci-lint $@

$(TOOLS)/versitygw-$(VERSITYGW):
	GOBIN=$(TOOLS) $(GO) install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW)
	mv $(TOOLS)/versitygw $@

# A test tool only: it is never part of what ships.
$(TOOLS)/minio-$(MINIO):
	GOBIN=$(TOOLS) $(GO) install github.com/minio/minio@$(MINIO)
	mv $(TOOLS)/minio $@

$(TOOLS)/gofumpt-$(GOFUMPT):
	GOBIN=$(TOOLS) $(GO) install mvdan.cc/gofumpt@$(GOFUMPT)
	mv $(TOOLS)/gofumpt $@
