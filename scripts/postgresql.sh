#!/bin/sh
# Sees to it that PostgreSQL's programs are there, which the tests start on their own.
set -eu

is_there() {
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null
}

stop() {
    printf '%s\n' "$*" >&2
    exit 2
}

install() {
    command -v apt-get >/dev/null ||
        stop "The tests need PostgreSQL: install it so that initdb is on the PATH."
    install="apt-get update && apt-get install -y --no-install-recommends postgresql"
    [ "$(id -u)" = 0 ] || stop "The tests need PostgreSQL. Run: sudo sh -c '$install'"
    echo "Installing PostgreSQL, which the tests need."
    said=$(DEBIAN_FRONTEND=noninteractive sh -c "$install" 2>&1) || stop "$said"
    is_there || stop "PostgreSQL was installed, yet initdb is not there: $said"
}

is_there || install
