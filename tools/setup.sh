#!/usr/bin/env bash
# Sets up .venv/ for one stage of the Makefile and leaves the stage's stamp in .venv/.seesay/.
# usage: tools/setup.sh run|sample|app|train|dev|torture|bench        PYTHON=python3.12 chooses the interpreter
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'Seesay set-up: %s\n' "$*" >&2; }
stop() { say "$*"; exit 2; }
works() { "$@" >/dev/null 2>&1; }

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# apt_quietly PACKAGE...   fetches the package lists only when it fails without; shows the end of its log when it fails.
apt_quietly() {
    local log status=0
    log=$(mktemp)
    {
        apt_install "$@" || { apt-get update -qq && apt_install "$@"; }
    } >"$log" 2>&1 || status=$?
    [ "$status" = 0 ] || tail -n 5 "$log" >&2
    rm -f "$log"
    return "$status"
}

# system_packages WHY PACKAGE...   installs them, or says how to; fails when they are still missing.
system_packages() {
    local why=$1
    shift
    [ $# -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "missing for $why: $*. Please install what your system calls these."
        return 1
    elif [ "$(id -u)" != 0 ]; then
        say "missing for $why: $*. This installs it: sudo apt-get install $*"
        return 1
    fi
    say "installing system packages: $* (under a minute) ..."
    apt_quietly "$@" || { say "apt-get could not install $* (see above), needed for $why."; return 1; }
}

# What a window needs that Qt does not bring with it: library, Debian's package. The last is a font.
WINDOW_LIBRARIES="libEGL.so.1:libegl1 libGL.so.1:libgl1 libxkbcommon.so.0:libxkbcommon0
    libxkbcommon-x11.so.0:libxkbcommon-x11-0 libdbus-1.so.3:libdbus-1-3 libfontconfig.so.1:libfontconfig1
    libxcb-cursor.so.0:libxcb-cursor0 libxcb-icccm.so.4:libxcb-icccm4 libxcb-image.so.0:libxcb-image0
    libxcb-keysyms.so.1:libxcb-keysyms1 libxcb-render-util.so.0:libxcb-render-util0
    libxcb-shape.so.0:libxcb-shape0 libxcb-xkb.so.1:libxcb-xkb1"

# window_packages STAGE   names what Qt lacks to open a window; for the tests, also what they press keys and read with.
window_packages() {
    [ "$(uname -s)" = Linux ] || return 0
    local known pair
    known=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p)
    for pair in $WINDOW_LIBRARIES; do
        case $known in *"${pair%%:*}"*) ;; *) echo "${pair##*:}" ;; esac
    done
    works ls /usr/share/fonts/*/* || echo fonts-dejavu-core
    [ "$1" = dev ] || return 0
    works command -v Xvfb || echo xvfb
    works command -v xdotool || echo xdotool
    works command -v openbox || echo openbox
    works command -v tint2 || echo tint2
    works command -v dbus-run-session || echo dbus
    works ls /usr/libexec/at-spi-bus-launcher || echo at-spi2-core
    works /usr/bin/python3 -c 'import gi; gi.require_version("Atspi", "2.0")' || echo python3-gi gir1.2-atspi-2.0
    works /usr/bin/python3 -c 'import dbus' || echo python3-dbus
    works command -v strace || echo strace
    works command -v setxkbmap || echo x11-xkb-utils
    works command -v xrandr || echo x11-xserver-utils
    works command -v i3lock || echo i3lock
    works command -v orca || echo orca speech-dispatcher python3-speechd
}

# optional_packages STAGE   names what a part of the program would miss; that part then says so itself.
optional_packages() {
    # Only Linux needs a voice: macOS and Windows have their own.
    if [ "$(uname -s)" = Linux ]; then
        works command -v espeak-ng || echo espeak-ng
        works command -v aplay || echo alsa-utils
    fi
    case $1 in train | dev) works java -version || echo default-jre-headless ;; esac
    case $1 in dev) works command -v sox || echo sox ;; esac
}

is_new_enough() { works "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; }

find_python() {
    local python
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if is_new_enough "$python"; then
            echo "$python"
            return
        fi
    done
    python=${PYTHON:-python3}
    stop "Seesay needs Python 3.11 or newer, and $python is" \
        "$("$python" --version 2>/dev/null || echo "not there"): install a newer one," \
        "or name the one to take: make PYTHON=/path/to/python3.11 ..."
}

make_venv() {
    if is_new_enough .venv/bin/python && works .venv/bin/python -m pip --version; then
        return
    fi
    local python version
    python=$(find_python)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    # Debian keeps this part of Python in a package of its own.
    if ! works "$python" -c 'import ensurepip, venv'; then
        system_packages "a virtual environment" "python$version-venv" || exit 2
    fi
    say "making a virtual environment in .venv with Python $version ..."
    "$python" -m venv --clear .venv || stop "$python could not make .venv (see above)."
}

# The machines that requirements.lock was made for; elsewhere, pip chooses the versions.
is_locked() {
    [ "$(uname -sm)" = "Linux x86_64" ] && works .venv/bin/python -c '
import platform, sys
library, version = platform.libc_ver()
fits = library == "glibc" and tuple(map(int, version.split("."))) >= (2, 34)
sys.exit(not fits or sys.version_info[:2] != (3, 11))'
}

# pip_install WHAT EXTRAS   installs the project from this folder, with its extras.
pip_install() {
    local what=$1 start=$SECONDS versions=/dev/null
    works ls .venv/lib/python3.*/site-packages/torch ||
        what="$what, and PyTorch first (some 6 GB on disk, a few minutes)"
    say "installing $what ..."
    if is_locked; then
        # Without the hashes, which pip would then want of this folder as well, and without pip itself.
        versions=$(mktemp)
        sed -n '/^pip==/d; s/^\([^ #]*==[^ ;]*\).*/\1/p' requirements.lock >"$versions"
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --constraint "$versions" --editable ".$2" ||
        stop "pip failed (see above): check the network and the free disk space, then try again."
    [ "$versions" = /dev/null ] || rm -f "$versions"
    say "done in $((SECONDS - start)) s."
}

stage=${1:-}
case $stage in
    run) what="what Seesay needs" extras="" covers="run" ;;
    sample) what="what Seesay needs and a sample photograph" extras="[sample]" covers="run sample" ;;
    app) what="what Seesay needs" extras="" covers="run app" ;;
    train) what="what training and scoring need" extras="[train]" covers="run train" ;;
    dev) what="what tests and checks need" extras="[train,cluster,dev]" covers="run app train dev" ;;
    torture) what="what fuzzing needs" extras="[torture]" covers="run torture" ;;
    bench) what="what measuring speed needs" extras="[bench]" covers="run bench" ;;
    *) stop "usage: tools/setup.sh run|sample|app|train|dev|torture|bench" ;;
esac
make_venv
case $stage in
    app) system_packages "the window" $(window_packages app) || exit 2 ;;
    dev) system_packages "the window and its tests" $(window_packages dev) || say "going on without." ;;
esac
missing=$(optional_packages "$stage")
case $stage in
    run | sample) system_packages "reading aloud" $missing || say "going on: captions come without it." ;;
    *) system_packages "the voice, its tests and METEOR scores" $missing || say "going on without." ;;
esac
pip_install "$what" "$extras"
mkdir -p .venv/.seesay
for stamp in $covers; do touch ".venv/.seesay/$stamp"; done
