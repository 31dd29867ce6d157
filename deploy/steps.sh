# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

# What deploy/up and tests/run share: steps with progress, and processes that end with the script.
# Sourced by bash; the sourcing script sets `program` to its name.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
step_group= step_log=

# A service manager may start us without HOME; npm and the paths below need one.
export HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s: %s\n' "$program" "$*" >&2
    exit 1
}

# step TITLE COMMAND…: runs it with its output kept aside. On a terminal a live line shows the time
# and the last thing it said; elsewhere one line when it starts and one when it is done.
# Returns the command's exit code, after showing the end of its output when that is not 0.
step() {
    local title=$1 start=$SECONDS status=0
    shift
    step_log=$(mktemp "${TMPDIR:-/tmp}/gridwatch-step.XXXXXX")
    [[ -t 1 ]] || say "$title …"
    set -m # a group of its own, so that all of it can be ended
    "$@" >"$step_log" 2>&1 </dev/null &
    set +m
    step_group=$!
    while [[ -t 1 ]] && kill -0 "$step_group" 2>/dev/null; do
        show_progress "$title" $((SECONDS - start)) "$step_log"
        sleep 0.2
    done
    wait "$step_group" || status=$?
    step_group=
    [[ -t 1 ]] && printf '\r\033[K'
    if ((status == 0)); then
        say "$title: $((SECONDS - start)) s"
    else
        say "$title: failed after $((SECONDS - start)) s (exit code $status); the end of what it said:"
        tail -n 30 "$step_log" | sed 's/^/    /'
    fi
    rm -f "$step_log"
    return "$status"
}

show_progress() {
    local line width=${COLUMNS:-80}
    line="$1 … $2 s  $(tail -c 400 "$3" | tr '\r' '\n' | sed -n '/./h; ${x;s/[^[:print:]]//g;p}')"
    printf '\r\033[K%s' "${line:0:width - 1}"
}

# end_group PID SECONDS: asks a process group to end, and makes it end after that time.
end_group() {
    local tries=$(($2 * 10))
    kill -TERM -- "-$1" 2>/dev/null || return 0
    while kill -0 -- "-$1" 2>/dev/null; do
        ((tries-- > 0)) || kill -KILL -- "-$1" 2>/dev/null
        sleep 0.1
    done
    wait "$1" # takes note of how it ended
} 2>/dev/null # bash itself would tell of every ended job

# Ends the step that runs, if one does.
end_step() {
    [[ $step_group ]] || return 0
    end_group "$step_group" 30
    rm -f "$step_log"
    printf '\nStopped.\n'
}

install_packages() {
    local missing
    missing=$("$root/deploy/packages" --missing "$@") || exit 1
    [[ $missing ]] || return 0
    if ((EUID != 0)) && command -v sudo >/dev/null; then
        sudo -v || fail "cannot install ${missing//$'\n'/ } without root; run deploy/packages $* as root"
    fi
    step "Installing $(wc -l <<<"$missing") packages" "$root/deploy/packages" "$@" ||
        fail "cannot go on without: ${missing//$'\n'/ }"
}

# The page's own script knows what has changed.
prepare_page() {
    step "Preparing the page" "$root/console/web/build.sh" "$root/console/web/dist"
}
