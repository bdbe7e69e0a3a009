#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# igb-module.sh KERNELDIR OUT.ko: Debian's igb driver of the lab's 6.12 kernel with one line changed: ntuple rules are
# offered from 82576 on, which is the NIC that QEMU has, instead of from I350 on. The rule code itself is the same for
# both. Source, headers and build scripts are the packages of exactly that kernel. Needs APT_CONFIG from lab_apt.
set -euo pipefail
. "$(dirname "$0")/common.sh"

kernel=$1 out=$2
release=$(cat "$kernel/release")
version=$(dpkg-deb -f "$kernel"/linux-image-*.deb Version)
work=$(mktemp -d "$lab_dir/igb.XXXXXX")
trap 'rm -rf "$work"' EXIT
igb=linux-source-6.12/drivers/net/ethernet/intel/igb

cd "$work"
apt-get -qq download "linux-source-6.12=$version" "linux-headers-$release=$version" \
	"linux-headers-${release%-amd64}-common=$version" "linux-kbuild-${release%-amd64}=$version"
for deb in linux-headers-*.deb linux-kbuild-*.deb; do dpkg-deb -x "$deb" root; done
dpkg-deb --fsys-tarfile linux-source-6.12_*.deb | tar -xO ./usr/src/linux-source-6.12.tar.xz | xz -dc | tar -x "$igb"
headers=$work/root/usr/src/linux-headers-$release
sed -i "s|/usr/src/|$work/root/usr/src/|" "$headers/Makefile"

# igb_probe(): the condition before NETIF_F_NTUPLE
sed -i '/if (hw->mac.type >= e1000_i350)/{N;/NETIF_F_NTUPLE/s/e1000_i350/e1000_82576/}' "$igb/igb_main.c"
grep -A 1 'if (hw->mac.type >= e1000_82576)' "$igb/igb_main.c" | grep -q NETIF_F_NTUPLE ||
	die "igb_main.c no longer has the line that is to be changed"
make -s -C "$headers" M="$work/$igb" CONFIG_IGB=m CONFIG_IGB_HWMON= CONFIG_IGB_DCA= CONFIG_DEBUG_INFO_BTF_MODULES= \
	-j"$(nproc)" modules
strip -g "$igb/igb.ko"
mkdir -p "$(dirname "$out")"
mv "$igb/igb.ko" "$out"
