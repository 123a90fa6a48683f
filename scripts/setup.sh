#!/usr/bin/env bash
# Installs what building and running Stoker needs. Safe to run again.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

need_build_tools
need_onnxruntime
say "ready: make release builds build/release/stoker"
