#!/bin/bash
# image.sh OUT.img: the lab guest's root file system, from Debian 12 packages. One image serves every kernel and
# test; it is booted with snapshot=on, so each boot finds it pristine. Needs APT_CONFIG from lab_apt (common.sh).
set -euo pipefail
. "$(dirname "$0")/common.sh"

out=$1
packages=(
	# a shell to work in, and tools to look at the network with
	busybox-static iproute2 ethtool kmod pciutils iputils-ping numactl procps tcpdump netcat-openbsd socat strace jq
	python3-minimal sqlite3
	# libvirt with QEMU, without systemd, dbus and udev
	libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients libxml2-utils qemu-system-x86 seabios ipxe-qemu
	# what sriovctl is linked with
	libnl-3-200 libnl-route-3-200 libmnl0 libsqlite3-0 libjansson4 libxml2 libyaml-0-2 libudev1 libsystemd0 libpcap0.8 libhwloc15
	# what sriov-rte is linked with, and the drivers of DPDK that it starts
	librte-ethdev23 librte-bus-pci23 librte-bus-vdev23 librte-mempool-ring23
	librte-net-ixgbe23 librte-net-i40e23 librte-net-e1000-23 librte-net-tap23
)

work=$(mktemp -d "$lab_dir/image.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root

bootstrap() {
	local main security
	main=$(debian_mirror bookworm)
	security=$(debian_mirror bookworm-security)
	# The machine's own apt settings (a proxy, dates) are passed on; mmdebstrap alone would not see them.
	env -u APT_CONFIG apt-config dump | grep -E '^Acquire::(http|https|Check)[^ ]* "[^"]' >"$work/acquire.conf" || true
	env -u APT_CONFIG mmdebstrap --quiet --mode=root --variant=minbase \
		--aptopt="$work/acquire.conf" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
		--include="$(IFS=,; echo "${packages[*]}")" bookworm "$root" \
		"deb $main bookworm main" "deb $security bookworm-security main"
}

# libvirtd refuses to start without these users, and writes to folders that packages leave to systemd.
prepare_libvirt() {
	chroot "$root" sh -ec '
		for g in kvm libvirt libvirt-qemu; do getent group $g >/dev/null || groupadd -r $g; done
		id libvirt-qemu >/dev/null 2>&1 ||
			useradd -r -g kvm -d /var/lib/libvirt -s /usr/sbin/nologin libvirt-qemu'
	mkdir -p "$root/var/log/libvirt/qemu" "$root/var/lib/libvirt/qemu"
	printf '%s\n' 'user = "root"' 'group = "root"' 'security_driver = "none"' 'dynamic_ownership = 0' \
		'remember_owner = 0' 'cgroup_controllers = []' 'stdio_handler = "file"' >"$root/etc/libvirt/qemu.conf"
}

finish_root() {
	local applet
	for applet in poweroff vi less usleep; do ln -sf /bin/busybox "$root/usr/local/bin/$applet"; done
	# mount points: lab = the repository's guest scripts (tmpfs), share = the host's folder, persist = --persist
	mkdir -p "$root/lab" "$root/share" "$root/persist" "$root/usr/lib/modules"
	rm -rf "$root"/var/cache/apt/*.bin "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb
	echo lab >"$root/etc/hostname"
	echo '127.0.0.1 localhost lab' >"$root/etc/hosts"
}

bootstrap
prepare_libvirt
finish_root
size=$(($(du -sm "$root" | cut -f1) * 12 / 10 + 300)) # room for what tests write; unused blocks are holes
rm -f "$out.new"
truncate -s "${size}M" "$out.new"
mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m0 -d "$root" "$out.new"
mv "$out.new" "$out"
