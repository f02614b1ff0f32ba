#!/bin/sh
# Makes a fresh checkout ready for `npm test` and `npm run demo`: Debian packages, npm packages, build.
set -eu
cd "$(dirname "$0")/.."

# command:package, for what the lab and the tests run; "demo" needs only the first line of them, "long" a desktop too.
needed='ip:iproute2 nft:nftables curl:curl flock:util-linux'
[ "${1:-}" = demo ] || needed="$needed iptables:iptables tcpdump:tcpdump ping:iputils-ping conntrack:conntrack
  mandoc:mandoc ps:procps find:findutils /usr/bin/python3:python3 awk:mawk setpriv:util-linux script:bsdutils
  sudo:sudo pkexec:pkexec /usr/lib/polkit-1/polkitd:polkitd dbus-daemon:dbus openssl:openssl getent:libc-bin
  zsh:zsh fish:fish /usr/share/bash-completion/bash_completion:bash-completion strace:strace
  desktop-file-validate:desktop-file-utils"

[ "${1:-}" != long ] || needed="$needed Xvfb:xvfb gtk-launch:libgtk-3-bin notify-send:libnotify-bin dunst:dunst
  chromium:chromium"

PATH=$PATH:/usr/sbin:/sbin
missing=
for pair in $needed; do
  command -v "${pair%:*}" >/dev/null || missing="$missing ${pair#*:}"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing Debian packages:$missing" >&2
    # shellcheck disable=SC2086 # one word for each package
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >&2
  else
    echo "via needs packages that are not installed; as root: apt-get install$missing" >&2
    exit 1
  fi
fi

newer() { [ ! -e "$1" ] || [ -n "$(find src scripts package-lock.json -newer "$1" -print -quit)" ]; }
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund >&2
if newer dist/via.cjs; then npm run --silent build >&2; fi
