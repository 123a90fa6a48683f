#!/usr/bin/env bash
# The whole comparison with PyTorch, from scratch: makes Debian trees with the
# frameworks under $STOKER_ORACLE (outside the tree; about 6 GB, once), records
# every case of torch_cases.py there and here, serves each file, and prints the
# table of docs/formats.md. Needs root for debootstrap; `make oracle` calls it.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

trees=${STOKER_ORACLE:-/var/cache/stoker-oracle}
need_build_tools
need_onnxruntime
need_packages debootstrap python3-torch python3-torchvision python3-numpy
build release
mirror=$(apt-get indextargets --format '$(REPO_URI)' | head -1)
mkdir -p "$trees/here"

# record TREE: the cases with the framework of that tree.
record() {
    mkdir -p "$1/o"
    cp tests/oracle/torch_cases.py tests/oracle/torch_record.py "$1/o/"
    chroot "$1" bash -c 'cd /o && python3 torch_record.py cases pt2' 2>/dev/null || true
}

for suite in trixie sid; do
    tree=$trees/$suite
    if [ ! -e "$tree/ready" ]; then
        say "making a tree of $suite"
        as_root debootstrap --variant=minbase --include=python3,ca-certificates "$suite" "$tree" "$mirror" >/dev/null
        # A mirror that is a snapshot is older than its lists allow.
        echo 'Acquire::Check-Valid-Until "false";' >"$tree/etc/apt/apt.conf.d/snapshot"
        chroot "$tree" apt-get update -qq
        DEBIAN_FRONTEND=noninteractive chroot "$tree" apt-get install -y -qq --no-install-recommends python3-torch python3-torchvision python3-numpy >/dev/null
        touch "$tree/ready"
    fi
    say "recording with the PyTorch of $suite"
    record "$tree"
done
say "recording transformers"
tree=$trees/sid
if [ ! -e "$tree/ready-transformers" ]; then
    DEBIAN_FRONTEND=noninteractive chroot "$tree" apt-get install -y -qq --no-install-recommends python3-transformers >/dev/null
    touch "$tree/ready-transformers"
fi
cp tests/oracle/torch_transformers.py tests/oracle/torch_bert.py "$tree/o/"
chroot "$tree" bash -c 'cd /o && python3 torch_transformers.py transformers && python3 torch_bert.py bert' 2>/dev/null
say "recording with the PyTorch of this system"
(cd tests/oracle && /usr/bin/python3 torch_record.py "$trees/here/cases")
say "recording torchvision"
(cd tests/oracle && /usr/bin/python3 torch_vision.py record "$trees/here/vision")
exec /usr/bin/python3 tests/oracle/torch_matrix.py "$trees"
