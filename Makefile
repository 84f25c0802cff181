# Needs Go and a shell; race needs a C compiler too. Everything it runs can be run by hand as it stands here.

GO        ?= go
FUZZTIME  ?= 10s
BENCHTIME ?= 1s
PKG       ?= ./...
PYTHON    ?= python3
export CGO_ENABLED = 0

# Where goroutines share something. Of backtest the one test that is about threads: the others take the detector half an hour.
CONCURRENT = ./gbdt/... ./internal/api/... ./internal/bundle/... ./internal/lockfile/... ./internal/telemetry/... ./internal/web/...

.PHONY: help run build test race lint bench bench-http bench-gbdt quality dask fuzz verify results cover check stack stack-check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## train if need be, and serve on http://127.0.0.1:8000
	$(GO) run ./cmd/pppq up

build: ## build ./pppq, one static file
	$(GO) build -trimpath -o pppq ./cmd/pppq

test: ## run all tests
	$(GO) test $(PKG)

race: ## run the tests of concurrent packages under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -timeout 30m $(CONCURRENT)
	CGO_ENABLED=1 $(GO) test -race -timeout 30m -run '^TestSameReportAtAnyNumberOfThreads$$' ./internal/backtest

lint: ## check format, vet, staticcheck, and that go.mod is tidy
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt has changes for:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...
	$(GO) mod tidy -diff

bench: ## run the benchmarks: make bench PKG=./gbdt BENCHTIME=3s
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PKG)

bench-http: build ## measure the service under load beside a bare handler (minutes; FastAPI and MLServer too where Python has them)
	$(GO) run ./bench/http -pppq ./pppq -python $(PYTHON)

BENCH_GBDT ?= /tmp/pppq-bench-gbdt
bench-gbdt: ## measure trees beside the genuine LightGBM and XGBoost (Python packages; many minutes)
	$(PYTHON) bench/gbdt/train_data.py $(BENCH_GBDT)
	$(PYTHON) bench/gbdt/train.py $(BENCH_GBDT)
	$(PYTHON) bench/gbdt/train.py curve
	$(PYTHON) bench/gbdt/predict.py --folder $(BENCH_GBDT)

quality: build ## compare how well trees learn with LightGBM and XGBoost (Python packages, scikit-learn and pandas)
	$(PYTHON) scripts/gbdt/quality.py ./pppq $(REPEATS)

dask: build ## train with XGBoost and LightGBM on two Dask workers and compare the answers (Python packages, dask, distributed and pyarrow)
	$(PYTHON) scripts/gbdt/check_dask.py ./pppq

fuzz: ## fuzz every parser, each for FUZZTIME: make fuzz FUZZTIME=60s
	GO=$(GO) scripts/fuzz.sh $(FUZZTIME) $(PKG)

verify: ## compare the figures with catalogue and checksums, the packages with go.sum, documents with the program
	$(GO) test -count=1 -v -run '^TestEmbedded' ./internal/source
	$(GO) mod verify
	$(GO) test -count=1 -run 'OpenAPIGolden|EveryRouteIsDocumented' ./internal/api
	$(GO) test -count=1 -run 'Documents|Links|SettingsTable|Architecture|ImportDirection|Dependencies' ./internal ./cmd/pppq

results: ## measure a release, with the vault open, and write the tables of README.md and docs/method.md
	$(GO) test -count=1 -v -run '^TestResults$$' ./cmd/pppq -update

cover: ## write coverage.html
	$(GO) test -coverprofile=coverage.out -coverpkg=./... $(PKG)
	$(GO) tool cover -html=coverage.out -o coverage.html

check: build ## try the built program as its users do: cold start, requests, report, equal bytes, kills (about 10 minutes)
	scripts/cold-start.sh ./pppq
	scripts/http.sh ./pppq
	scripts/report.sh ./pppq
	scripts/same-bytes.sh ./pppq
	scripts/kill-train.sh ./pppq

stack-check: ## check the container files without Docker: Compose, nginx, Prometheus, Kubernetes (needs PPPQ_TOOLS, see test/stack/tools.sh)
	cd test/stack && $(GO) vet ./... && $(GO) tool -modfile=../../tools/go.mod staticcheck ./... && $(GO) test -count=1 .

stack: ## build the image, run the production and development stacks for real and try them end to end (Debian, root; about 10 minutes)
	test/stack/run.sh

clean: ## remove what the other targets made, but neither data nor models
	rm -f pppq coverage.out coverage.html
