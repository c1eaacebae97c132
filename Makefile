# What one does with Wattloop. `make` alone lists it.

# The toolchain's own needs, then the project's.
BUILD_PACKAGES = binutils ca-certificates g++ git libcurl4-openssl-dev libedit-dev libncurses-dev libxml2-dev tzdata \
                 libssl-dev libsqlite3-dev zlib1g-dev pkg-config
TEST_PACKAGES  = python3 python3-venv curl
SWIFT_SOURCES  = Package.swift Sources Tests $(wildcard Benchmarks/Package.swift Benchmarks/Sources) \
                 $(wildcard Fuzz/Package.swift Fuzz/Sources)

.PHONY: help run build test test-asan test-tsan fuzz fuzz-ci chaos simulation openapi-fuzz conformance tls-scan costs \
        bench bench-build bench-large bench-million test-bench floor format lint clean packages
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 14

run: build ## install what is missing, build, start the server, print address and log-in (WATTLOOP_PORT=9000)
	@Scripts/run $(ARGS)

build: packages ## the release binary: .build/release/wattloop
	swift build -c release --product wattloop

test: packages ## all tests: Swift, then the real binary from outside (ARGS="-k chat" goes to pytest)
	@Scripts/packages $(TEST_PACKAGES)
	Scripts/test $(ARGS)

test-asan: packages ## the Swift tests under AddressSanitizer (LEAKS=1 ARGS="--filter Frame")
	Scripts/sanitize address $(ARGS)

test-tsan: packages ## the Swift tests under ThreadSanitizer
	Scripts/sanitize thread $(ARGS)

fuzz: packages ## ten minutes of libFuzzer for each target (FUZZ_SECONDS=60 TARGETS="JSON Reactor")
	Scripts/fuzz $(TARGETS)

fuzz-ci: packages ## the fuzz targets' corpus, and 20 seconds more for each
	FUZZ_SECONDS=20 Scripts/fuzz

chaos: build ## an hour of clients that come and go, and a server that is killed (ARGS="--chaos-seconds 600 --seed 7")
	@Scripts/packages $(TEST_PACKAGES)
	Scripts/outside -n 0 -k chaos -s --chaos-seconds 3600 $(ARGS)

simulation: packages ## 10,000 lives of the server on a simulated disk, clock and network, compiled as the release is
	TMPDIR=/dev/shm WATTLOOP_SEEDS=10000 swift test -c release -Xswiftc -enable-testing \
	  --scratch-path .build/simulation --filter SimulationTests

openapi-fuzz: build ## some 10 minutes of made-up requests to every operation (ARGS="--fuzz-seed 7 --fuzz-examples 500")
	@Scripts/packages $(TEST_PACKAGES)
	Scripts/outside -n 0 -k schemathesis -s --fuzz-examples 300 --fuzz-seed $$(date +%s) $(ARGS)

conformance: packages ## Autobahn's WebSocket cases against the echo server (GROUPS="9 12")
	Scripts/conformance $(GROUPS)

tls-scan: build ## sslyze against the server's TLS
	@Scripts/packages $(TEST_PACKAGES) openssl
	Scripts/tls-scan

costs: bench-build ## instructions, allocations and system calls of an echo and a request, against their thresholds
	@Scripts/packages valgrind
	Benchmarks/count-costs

bench: build bench-build ## the standard set, beside the C floor, nginx, Node and Python: writes Benchmarks/RESULTS.md (ARGS="echo chat")
	@Scripts/packages python3
	python3 Benchmarks/standard $(ARGS)

bench-build: packages floor ## build the benchmarks and the C floor they are compared with
	swift build --package-path Benchmarks -c release

bench-large: build ## conversations of a million messages against small ones; prints a table
	Benchmarks/measure-large

test-bench: build bench-build ## the tests of wattloop-bench itself, against servers that it starts
	@Scripts/packages $(TEST_PACKAGES)
	TESTS=Benchmarks/Tests Scripts/outside -n 0 $(ARGS)

bench-million: build bench-build ## a million clients on one server, in a guest with limits of its own where need be (CLIENTS=100000)
	Benchmarks/million

floor: Benchmarks/Floor/echo Benchmarks/Floor/store ## a bare C echo server and a bare store, the floors for the benchmarks

Benchmarks/Floor/echo: Benchmarks/Floor/echo.c
	$(CC) -std=c11 -O2 -Wall -Wextra -o $@ $< -lcrypto

Benchmarks/Floor/store: Benchmarks/Floor/store.c
	$(CC) -std=c11 -O2 -Wall -Wextra -o $@ $< -lsqlite3

format: ## format the Swift sources in place
	swift format --in-place --parallel --recursive $(SWIFT_SOURCES)

lint: ## fail when a Swift source is not formatted or breaks a rule
	swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)

clean: ## remove what was built; ./data stays
	rm -rf .build .build-fuzz .build-address .build-thread Benchmarks/.build Benchmarks/Floor/echo Benchmarks/Floor/store .venv .venv-autobahn .venv-tls

packages:
	@Scripts/packages $(BUILD_PACKAGES)
