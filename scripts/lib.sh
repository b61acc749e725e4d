# shellcheck shell=bash
# Shared by the scripts of ./dev; sourced from the root of the repository.

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "dev: $*"
    exit 1
}

# is_there PROBE: see scripts/packages.
is_there() {
    case $1 in
    command:*) command -v "${1#command:}" >/dev/null ;;
    pkg:*) command -v pkg-config >/dev/null && pkg-config --exists "${1#pkg:}" ;;
    file:*) compgen -G "${1#file:}" >/dev/null ;;
    *) die "scripts/packages: unknown probe $1" ;;
    esac
}

# missing_packages GROUP…: the packages of these groups that are not there, one a line.
missing_packages() {
    local group probe package wanted
    while read -r group probe package; do
        for wanted in "$@"; do
            if [ "$group" = "$wanted" ] && ! is_there "$probe"; then
                printf '%s\n' "$package"
            fi
        done
    done < <(grep -v '^#' scripts/packages)
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends "$@" </dev/null >"$log" 2>&1
}

# need GROUP…: installs what is missing, and says what.
need() {
    local packages log
    mapfile -t packages < <(missing_packages "$@")
    [ ${#packages[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        die "please install: ${packages[*]} (names as in Debian 12; there is no apt-get here)"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "please install, as root: apt-get install ${packages[*]}"
    say "installing: ${packages[*]}"
    log=$(mktemp)
    if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || ! apt_install "${packages[@]}"; then
        as_root apt-get update -qq </dev/null >"$log" 2>&1 || {
            cat "$log" >&2
            die "apt-get update failed"
        }
        apt_install "${packages[@]}" || {
            cat "$log" >&2
            die "apt-get install failed"
        }
    fi
    rm -f "$log"
}

# configure FOLDER ARGS…: a meson build folder with these options; made anew when they changed.
# A folder that was set up by hand is left as it is.
configure() {
    local folder=$1 log
    shift
    if [ -f "$folder/build.ninja" ] &&
        { [ ! -f "$folder/dev.args" ] || [ "$(cat "$folder/dev.args")" = "$*" ]; }; then
        return 0
    fi
    rm -rf "$folder"
    log=$(mktemp)
    meson setup "$folder" "$@" </dev/null >"$log" 2>&1 || {
        cat "$log" >&2
        die "meson setup $folder failed"
    }
    rm -f "$log"
    printf '%s' "$*" >"$folder/dev.args"
}

# build FOLDER [TARGET…]: quiet, unless the compiler has something to say.
build() {
    local folder=$1 log
    shift
    say "building in $folder/"
    log=$(mktemp)
    ninja -C "$folder" "$@" </dev/null >"$log" 2>&1 || {
        cat "$log" >&2
        rm -f "$log"
        return 1
    }
    grep -A 6 ' warning: ' "$log" >&2 || true
    rm -f "$log"
}

# The options of an ordinary build: warnings are errors where nobody is editing.
build_options() {
    if [ "${CI:-}" = true ]; then
        printf '%s\n' -Dwerror=true
    fi
}

# Node brings certificates of its own; it shall trust what this machine trusts as well.
system_certificates=/etc/ssl/certs/ca-certificates.crt
if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r $system_certificates ]; then
    export NODE_EXTRA_CA_CERTS=$system_certificates
fi

# setup_node [WORKSPACE…]: the packages of these, or of all, as locked.
setup_node() {
    local stamp=node_modules/.holdline-setup log options=("${@/#/--workspace=}")
    if [ -f "$stamp" ] && [ ! package-lock.json -nt "$stamp" ] &&
        grep -qxe "all" -e "${*:-all}" "$stamp"; then
        return 0
    fi
    say "installing the node packages of package-lock.json"
    log=$(mktemp)
    npm ci --no-audit --no-fund "${options[@]}" </dev/null >"$log" 2>&1 || {
        cat "$log" >&2
        die "npm ci failed"
    }
    printf '%s\n' "${*:-all}" >"$stamp"
    rm -f "$log"
}

# What the gateway serves to browsers.
web_workspaces=(sdk/js sdk/widget examples/console)

# build_web: SDK, widget and console, each into its dist/, when something newer than it is there.
build_web() {
    local workspace log
    for workspace in "${web_workspaces[@]}"; do
        [ -n "$(jq -r '.scripts.build // empty' "$workspace/package.json")" ] || continue
        if [ -f "$workspace/dist/.built" ] && [ -z "$(find sdk examples/console package-lock.json \
            -path '*/dist' -prune -o -path '*/node_modules' -prune -o \
            -type f -newer "$workspace/dist/.built" -print -quit)" ]; then
            continue
        fi
        say "building $workspace"
        log=$(mktemp)
        npm run --silent build -w "$workspace" </dev/null >"$log" 2>&1 || {
            cat "$log" >&2
            die "npm run build -w $workspace failed"
        }
        touch "$workspace/dist/.built"
        rm -f "$log"
    done
}
