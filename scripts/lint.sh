#!/usr/bin/env bash
# Format, analysers and tree checks.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

need_build_tools
need_packages clang-format clang-tidy cppcheck universal-ctags binutils python3
build dev
say "format"
git ls-files 'src/*.c' 'src/*.h' | xargs clang-format --dry-run --Werror
say "cppcheck"
cppcheck --std=c11 --enable=warning,portability --inline-suppr --suppress=missingIncludeSystem \
    --error-exitcode=1 --quiet -Isrc -Ibuild/dev/generated -DSTOKER_VERSION='"0"' -D__x86_64__ src
say "tree"
for c in layers.py size.py registry.py headers.sh globals.sh; do tools/check-$c; done
