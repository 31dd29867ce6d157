#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Builds the page, and only when something it is made of has changed since.
set -euo pipefail

usage() {
    cat <<'END'
usage: console/web/build.sh [OUTPUT-FOLDER]
       console/web/build.sh --install-only

Installs the page's packages as package-lock.json names them, then builds the page into the folder
(default: dist beside this script). Each of the two is skipped when nothing has changed since.
Needs node 18 or newer with its npm, and the npm registry while packages are missing.
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
output=
only_install=
case ${1-} in
-h | --help) usage; exit 0 ;;
--install-only) only_install=yes ;;
-*) usage >&2; exit 2 ;;
*) output=${1:-$here/dist} ;;
esac
[[ $output != [!/]* ]] || output=$PWD/$output
cd "$here"

fail() {
    printf 'console/web/build.sh: %s\n' "$*" >&2
    exit 1
}

command -v node >/dev/null && command -v npm >/dev/null ||
    fail "node and npm are needed; install Debian's packages nodejs and npm"
version=$(node -p 'process.versions.node')
((${version%%.*} >= 18)) || fail "node $version is too old; 18 or newer is needed"

# One line that changes when any of these files does, or node's major version.
stamp_of() {
    find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum |
        { cat && printf 'node %s\n' "${version%%.*}"; } | sha256sum
}

is_fresh() { # STAMP-FILE STAMP
    [[ -s $1 ]] && [[ $(<"$1") == "$2" ]]
}

packages=$(stamp_of package.json package-lock.json .npmrc)
if ! is_fresh node_modules/.gridwatch-stamp "$packages"; then
    # No package needs its install script, so none gets to run one.
    npm ci --ignore-scripts || fail "npm ci failed; is the npm registry within reach?"
    printf '%s\n' "$packages" >node_modules/.gridwatch-stamp
fi
[[ ! $only_install ]] || exit 0

sources=$(stamp_of package.json package-lock.json vite.config.ts tsconfig.json index.html public src)
if ! is_fresh "$output/.stamp" "$sources"; then
    npm run --silent build -- --outDir "$output" --emptyOutDir
    printf '%s\n' "$sources" >"$output/.stamp"
fi
