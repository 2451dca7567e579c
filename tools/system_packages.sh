#!/bin/sh
# Installs the Debian packages some tests want, when this is root on a machine with apt-get;
# elsewhere says what is missing and leaves: the tests skip with the same words. Never fails.
want="lua5.4 xvfb mmdebstrap chromium"
missing=""
for package in $want; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq >/dev/null 2>&1
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 && exit 0
fi
echo "tests that need these packages will skip:$missing"
exit 0
