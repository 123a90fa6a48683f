# lib.sh - what the scripts share: packages, the runtime. Sourced, not run.
#
# Everything here may run again: what is there already is left alone.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
ROOT=$PWD

ORT_PACKAGE=onnxruntime-node
ORT_VERSION=1.30.0
ort_sha256() {
    case $1 in
    x64) echo ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23 ;;
    arm64) echo 1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76 ;;
    esac
}

say() { printf '\033[1m==>\033[0m %s\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi; }
die() { echo "error: $*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "this needs root: run '$*' as root, or install sudo"; fi
}

# need_packages PACKAGE...: installs those that are missing.
need_packages() {
    local missing=() p
    if ! command -v apt-get >/dev/null; then
        command -v cmake >/dev/null && command -v gcc >/dev/null && return
        die "there is no apt here. Install the equivalents of: $*"
    fi
    for p in "$@"; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
    done
    [ ${#missing[@]} = 0 ] && return
    say "installing ${missing[*]}"
    # The lists may be absent or old; only the second attempt's words matter.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 && return
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# need_command COMMAND PACKAGE: the package, unless the command is there.
need_command() {
    command -v "$1" >/dev/null || need_packages "$2"
}

need_build_tools() {
    need_packages gcc libc6-dev make cmake ninja-build zlib1g-dev libpcre2-dev libcurl4-openssl-dev libyaml-dev libsqlite3-dev pkg-config ca-certificates curl
    need_uplot
}

check_sum() {
    echo "$2  $1" | sha256sum --check --status
}

# The library into deps/onnxruntime, checked; a library that is installed, or
# that STOKER_ORT names, is as good.
need_onnxruntime() {
    local arch lib=deps/onnxruntime/libonnxruntime.so.1 tmp
    case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) die "there is no pinned ONNX Runtime for $(uname -m): build it and set STOKER_ORT" ;;
    esac
    [ -n "${STOKER_ORT:-}" ] && return
    [ -f "$lib" ] && check_sum "$lib" "$(ort_sha256 $arch)" && return
    need_command npm npm
    need_packages libstdc++6
    say "fetching ONNX Runtime $ORT_VERSION"
    tmp=$(mktemp -d)
    (cd "$tmp" && npm pack --loglevel=error "$ORT_PACKAGE@$ORT_VERSION" >/dev/null) || die "npm could not fetch $ORT_PACKAGE $ORT_VERSION"
    tar -xzf "$tmp"/*.tgz -C "$tmp" "package/bin/napi-v6/linux/$arch/libonnxruntime.so.1"
    check_sum "$tmp/package/bin/napi-v6/linux/$arch/libonnxruntime.so.1" "$(ort_sha256 $arch)" ||
        { rm -rf "$tmp"; die "the checksum of libonnxruntime.so.1 is wrong: nothing was installed"; }
    mkdir -p deps/onnxruntime
    mv "$tmp/package/bin/napi-v6/linux/$arch/libonnxruntime.so.1" "$lib"
    rm -rf "$tmp"
}

UPLOT_VERSION=1.6.32
uplot_sha256() {
    case $1 in
    uPlot.iife.min.js) echo 19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f ;;
    uPlot.min.css) echo df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04 ;;
    esac
}

# The charts of the console into deps/uplot, checked.
need_uplot() {
    local file tmp missing=
    for file in uPlot.iife.min.js uPlot.min.css; do
        [ -f "deps/uplot/$file" ] && check_sum "deps/uplot/$file" "$(uplot_sha256 $file)" || missing=1
    done
    [ -z "$missing" ] && return
    need_command npm npm
    say "fetching uPlot $UPLOT_VERSION"
    tmp=$(mktemp -d)
    (cd "$tmp" && npm pack --loglevel=error "uplot@$UPLOT_VERSION" >/dev/null) || die "npm could not fetch uplot $UPLOT_VERSION"
    tar -xzf "$tmp"/*.tgz -C "$tmp" package/dist
    mkdir -p deps/uplot
    for file in uPlot.iife.min.js uPlot.min.css; do
        check_sum "$tmp/package/dist/$file" "$(uplot_sha256 $file)" ||
            { rm -rf "$tmp"; die "the checksum of $file is wrong: it was not installed"; }
        mv "$tmp/package/dist/$file" "deps/uplot/$file"
    done
    rm -rf "$tmp"
}

# build PRESET: configures once, builds what changed.
build() {
    [ -f "build/$1/build.ninja" ] || cmake --preset "$1" >/dev/null
    cmake --build --preset "$1" -- --quiet
}

# A small Debian in deps/tree, and packages beside it, for tests that set a
# machine up for real. Without root, or debootstrap's release, there is none and
# those tests say so.
need_tree() {
    [ -e deps/tree/.complete ] && return
    [ "$(id -u)" = 0 ] || return 0
    need_packages debootstrap dpkg-dev
    say "making a small Debian for the tests"
    rm -rf deps/tree
    debootstrap --variant=minbase bookworm deps/tree >deps/tree.log 2>&1 || { tail -3 deps/tree.log; return 0; }
    cp /etc/resolv.conf deps/tree/etc/
    cp -r /etc/apt/apt.conf.d/. deps/tree/etc/apt/apt.conf.d/
    chroot deps/tree apt-get clean
    chroot deps/tree apt-get -qq -y --download-only --no-install-recommends install chrony nftables python3-venv tzdata >>deps/tree.log 2>&1 ||
        { tail -3 deps/tree.log; return 0; }
    touch deps/tree/.complete
}
