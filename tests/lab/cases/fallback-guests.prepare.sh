# shellcheck shell=bash disable=SC2154
# fallback-guests: OVS with DPDK; QEMU 10 (that of the lab's image, 7.2, dies of vhost-user under TCG); and Linux guests that
# have booted here.
# shellcheck source=tests/lab/cases/ovs.prepare.sh
. "$here/cases/ovs.prepare.sh"
kernel=$("$here/lab" kernel)
"$here/saved.sh" "$kernel" "$tools" web1 web2 web9
cp "$kernel/vmlinux" "$tests/console.sh" "$tools/"
qemu=/usr/bin/qemu-system-x86_64
{
	echo $qemu
	ldd $qemu | awk '$3 ~ /^\// {print $3}'
	find -L /usr/share/seabios /usr/share/qemu -maxdepth 1 -name '*.bin' -o -name '*.rom'
} | sort -u | tar -C / -chf "$tools/qemu.tar" --hard-dereference -P -T -
