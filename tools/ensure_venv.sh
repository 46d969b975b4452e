#!/bin/sh
# Makes a virtual environment, also on a Debian or Ubuntu whose python3 comes without the venv package.
# Usage: ensure_venv.sh PYTHON DIRECTORY
set -eu

python=$1
directory=$2

stop() {
    printf 'headrace: %s\n' "$1" >&2
    exit 1
}

can_make_environments() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null
}

command -v "$python" >/dev/null 2>&1 ||
    stop "no $python here: install Python 3.11 or newer, or say which to use: make PYTHON=python3.12 ..."

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$python is Python $version, and 3.11 or newer is needed: make PYTHON=python3.12 ..."

if ! can_make_environments; then
    package="python$version-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "headrace: $python can not make virtual environments; installing $package"
        { apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"; } </dev/null ||
            stop "could not install $package; install it and try again"
    fi
    can_make_environments ||
        stop "$python can not make virtual environments: install $package (sudo apt-get install $package)"
fi

rm -rf "$directory"
"$python" -m venv "$directory" || {
    rm -rf "$directory"
    stop "$python -m venv $directory failed; the lines above say why"
}
