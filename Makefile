# The verbs. How things are built is in CMakeLists.txt; this file only remembers
# the commands, so that nobody has to.
.PHONY: all release test tsan fuzz bench lint format oracle soak clean help

all release:       ## what is shipped: build/release/stoker
	./scripts/setup.sh
	cmake --preset release
	cmake --build --preset release

test:              ## all tests, as CI runs them
	./scripts/test.sh

tsan:              ## unit tests under ThreadSanitizer
	cmake --preset tsan && cmake --build --preset tsan
	for t in build/tsan/test_*; do $$t || exit 1; done

fuzz:              ## every fuzz target for a minute (FUZZ_SECONDS=60)
	./scripts/fuzz.sh

bench:             ## against FastAPI, fastify and nginx, side by side
	./bench/run.sh

oracle:            ## the importers of PyTorch against PyTorch, from scratch
	./tests/oracle/torch_matrix.sh

soak:              ## the long ones: millions of requests, ten minutes of fuzzing a target
	./scripts/soak.sh

lint:              ## format, analysers, tree checks
	./scripts/lint.sh

format:            ## rewrite the sources in the house format
	clang-format -i $(shell git ls-files '*.c' '*.h')

clean:
	rm -rf build

help:
	@grep -E '^[a-z ]+:.*##' Makefile | sed 's/:[^#]*## /\t/'
