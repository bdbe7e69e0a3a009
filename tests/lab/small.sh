#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# small.sh KERNEL-FOLDER OUT.gz MODULE…: an initramfs for a small Linux guest that does what it is told on its serial port.
# It has busybox and those modules, with what they need. Each line that comes is run by its shell; what that prints goes
# back, and then a line "=STATUS".
set -euo pipefail
kernel=$1 out=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
release=$(cat "$kernel/release")
root=$work/root
mkdir -p "$root"/{bin,dev,proc,sys,m}
cp /bin/busybox "$root/bin/"
ln -s busybox "$root/bin/sh"

# dumped FILE TARGET: of the kernel's drive of modules
dumped() { debugfs -R "dump /$release/$1 $2" "$kernel/modules.img" 2>/dev/null && [ -s "$2" ]; }
dumped modules.dep "$work/dep"
# in the order in which they are loaded: what each one needs comes first
for module; do
	awk -v end="/$module.ko:" 'substr($1, length($1) - length(end) + 1) == end {
		sub(":", "", $1)
		for (i = NF; i; i--)
			print $i
	}' "$work/dep" >"$work/needs"
	[ -s "$work/needs" ] || { echo "small.sh: kernel $release has no module $module" >&2 && exit 1; }
	cat "$work/needs" >>"$work/all"
done
number=100
while read -r file; do
	number=$((number + 1)) # keeps the order
	dumped "$file" "$root/m/$number.ko"
done < <(awk '!seen[$0]++' "$work/all")

cat >"$root/init" <<'INIT'
#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
stty -F /dev/ttyS0 raw -echo
exec </dev/ttyS0 >/dev/ttyS0 2>&1
for module in /m/*.ko; do insmod "$module"; done
ip link set lo up
echo =ready
while read -r line; do
	eval "$line"
	echo "=$?"
done
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$out"
