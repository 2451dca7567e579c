#!/bin/sh
# gimp_rootfs.sh [--ui] [SUITE] : a real GIMP 3 in a folder of its own, for the plug-in's tests.
#
# Prints the folder. SUITE is trixie (GIMP 3.0, default) or forky (GIMP 3.2). --ui adds an X
# server and tools for screenshots. Needs root (for chroot later), apt and a Debian mirror;
# exits 3 with the reason on stderr where one of them is missing. A finished folder is reused.
#
# Why: the host's Debian may be older than GIMP 3, and installing it there would replace the C
# library. apt resolves against an empty system with a state of its own and only downloads; the
# packages are then unpacked without running their scripts. The host isn't touched.
set -eu

ui=
[ "${1:-}" = --ui ] && { ui=-ui; shift; }
suite=${1:-trixie}
base=${SPRITEFACE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spriteface-tests}
root=$base/gimp-$suite$ui

refuse() { echo "gimp_rootfs: $*" >&2; exit 3; }

[ -f "$root/.complete" ] && { echo "$root"; exit 0; }
[ "$(id -u)" = 0 ] || refuse "needs root"
for tool in apt-get dpkg-deb chroot flock; do
    command -v "$tool" >/dev/null || refuse "needs $tool"
done

mkdir -p "$base"
exec 9>"$base/.lock-$suite$ui"
flock 9 # two test runs at once: the second waits and then finds it finished
[ -f "$root/.complete" ] && { echo "$root"; exit 0; }

mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    grep -E '/debian/?$' | head -n 1)}
mirror=${mirror:-http://deb.debian.org/debian}

packages="base-files base-passwd dash coreutils libc-bin gimp python3-gi"
[ -n "$ui" ] && packages="$packages bash sed grep xvfb xdotool imagemagick openbox fonts-dejavu-core \
    shared-mime-info libglib2.0-bin fontconfig adwaita-icon-theme x11-xkb-utils xkb-data"

work=$root.part
rm -rf "$work" "$root"
mkdir -p "$work/root" "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/apt/parts"
: >"$work/apt/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/apt/sources.list"
trap 'rm -rf "$work"' EXIT

own_apt() {
    apt-get -qq -y \
        -o Dir::State="$work/apt" -o Dir::State::Lists="$work/apt/lists" \
        -o Dir::State::Status="$work/apt/status" -o Dir::Cache="$work/apt" \
        -o Dir::Cache::Archives="$work/apt/archives" \
        -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts="$work/apt/parts" \
        -o Dir::Etc::PreferencesParts="$work/apt/parts" -o APT::Sandbox::User=root \
        -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=20 \
        -o APT::Install-Recommends=false -o Debug::NoLocking=true "$@" >&2
}
own_apt update || refuse "no package lists from $mirror ($suite)"
# shellcheck disable=SC2086
own_apt install --download-only $packages || refuse "cannot download GIMP from $mirror ($suite)"

unpack() { dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$work/root"; }
for package in "$work"/apt/archives/base-files_*.deb; do # first: it owns the /bin -> /usr/bin links
    unpack "$package"
done
for package in "$work"/apt/archives/*.deb; do
    unpack "$package"
done

inside() { chroot "$work/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
inside ldconfig
ln -sf dash "$work/root/usr/bin/sh"
if [ -n "$ui" ]; then # what GTK needs of the scripts that were not run
    inside glib-compile-schemas /usr/share/glib-2.0/schemas
    inside update-mime-database /usr/share/mime >/dev/null 2>&1 || true
    for query in "$work"/root/usr/lib/*/gdk-pixbuf-2.0/gdk-pixbuf-query-loaders; do
        inside "${query#"$work/root"}" --update-cache
    done
    inside fc-cache -f
fi
rm -rf "$work"/root/usr/share/doc "$work"/root/usr/share/man "$work"/root/usr/share/locale \
    "$work"/root/usr/share/help
mkdir -p "$work/root/root" "$work/root/tmp" "$work/root/proc" "$work/root/dev"
chmod 1777 "$work/root/tmp"
[ -e "$work/root/dev/null" ] || mknod -m 666 "$work/root/dev/null" c 1 3
mv "$work/root" "$root"
touch "$root/.complete"
echo "$root"
