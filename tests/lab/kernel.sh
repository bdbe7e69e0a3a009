#!/bin/bash
# kernel.sh 6.12|6.1 OUTDIR: Debian's own kernel, unmodified, as OUTDIR/{vmlinux,initrd.gz,modules.img}.
# The modules are a drive of their own (mounted on /lib/modules), so one root image serves every kernel.
# Needs APT_CONFIG from lab_apt (common.sh) and fresh package lists.
set -euo pipefail
. "$(dirname "$0")/common.sh"

series=$1 out=$2
case $series in
6.12) meta=linux-image-6.12-amd64 ;;
6.1) meta=linux-image-amd64 ;;
*) die "unknown kernel '$series': 6.12 or 6.1" ;;
esac

mkdir -p "$out"
work=$(mktemp -d "$lab_dir/kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/tree

# fetch: the .deb is kept in OUTDIR and taken from there next time, so a kernel changes only when its folder is removed.
fetch() {
	local pkg
	compgen -G "$out/linux-image-*.deb" >/dev/null && return 0
	# The package name carries the ABI number, which moves; the meta package names today's.
	pkg=$(apt-cache depends "$meta" | awk '$1 == "Depends:" && $2 ~ /^linux-image-'"$series"'\./ {print $2; exit}')
	[ -n "$pkg" ] || die "the mirror's $meta depends on no linux-image-$series kernel; has Debian dropped it?"
	(cd "$work" && apt-get -qq download "$pkg") || die "could not download $pkg"
	mv "$work/$pkg"_*.deb "$out/"
}

unpack() {
	mkdir "$tree"
	dpkg-deb --fsys-tarfile "$out"/linux-image-*.deb | tar -x -C "$tree" ./boot ./lib/modules
	release=$(ls "$tree/lib/modules")
	depmod -b "$tree" "$release" # the package makes modules.dep only when it is installed
}

# with_dependencies MODULE...: the module files in load order, each once. Modules one kernel lacks are left out.
with_dependencies() {
	local m
	for m in "$@"; do
		modprobe -d "$tree" -S "$release" --show-depends "$m" 2>/dev/null ||
			say "kernel $series has no module '$m'"
	done | awk '$1 == "insmod" && !seen[$2]++ {print $2}'
}

# put FILE TARGET: modules go in uncompressed, TCG would spend seconds on xz.
put() {
	mkdir -p "$(dirname "$2")"
	case $1 in
	*.xz) xz -dc "$1" >"$2" ;;
	*) cp "$1" "$2" ;;
	esac
}

modules_drive() {
	local names f rel dir=$work/drive
	local src=$tree/lib/modules/$release dst=$dir/lib/modules/$release
	mapfile -t names < <(sed 's/#.*//' "$lab_src/modules.list" | tr -s ' \t' '\n' | grep .)
	mkdir -p "$dst"
	cp "$src"/modules.{order,builtin,builtin.modinfo} "$dst/"
	while read -r f; do
		rel=${f#"$tree"}
		put "$f" "$dir/${rel%.xz}"
	done < <(with_dependencies "${names[@]}")
	depmod -b "$dir" "$release"
	truncate -s "$(($(du -sm "$dir" | cut -f1) * 11 / 10 + 8))M" "$work/modules.img"
	mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m0 -d "$dir/lib/modules" "$work/modules.img"
}

initrd() {
	local f n=100 dir=$work/initrd
	mkdir -p "$dir"/{bin,dev,proc,sys,mnt,m}
	cp /bin/busybox "$dir/bin/"
	ln -s busybox "$dir/bin/sh"
	install -m755 "$lab_src/guest/initramfs" "$dir/init"
	while read -r f; do
		n=$((n + 1)) # the number keeps the load order
		put "$f" "$dir/m/$n.ko"
	done < <(with_dependencies virtio_pci virtio_blk ext4 9pnet_virtio 9p)
	(cd "$dir" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"
}

# uncompressed: vmlinux, which QEMU enters directly (PVH). Unpacking it in the guest takes almost a second under TCG.
# The boot protocol says where the payload is: at payload_offset (0x248) after the real-mode sectors, payload_length long.
uncompressed() {
	local image sectors offset length unpack
	image=$(echo "$tree"/boot/vmlinuz-*)
	number() { od -An -t "u$2" -j "$1" -N "$2" "$image" | tr -d ' '; }
	sectors=$(number 0x1f1 1) offset=$(number 0x248 4) length=$(number 0x24c 4)
	tail -c +$(((sectors + 1) * 512 + offset + 1)) "$image" | head -c "$length" >"$work/payload" || true
	case $(head -c 4 "$work/payload" | od -An -t x1 | tr -d ' ') in
	fd377a58) unpack=xz ;;
	28b52ffd) unpack=zstd ;;
	*) die "kernel $series is compressed in a way that kernel.sh does not know" ;;
	esac
	# four bytes of size follow the stream, which xz and zstd call trailing garbage
	head -c $((length - 4)) "$work/payload" | "$unpack" -dc >"$work/vmlinux" || die "unpacking kernel $series failed"
}

fetch
unpack
modules_drive
initrd
uncompressed
echo "$release" >"$work/release"
for f in vmlinux modules.img initrd.gz release; do mv "$work/$f" "$out/$f"; done
