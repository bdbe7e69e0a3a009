# shellcheck shell=bash disable=SC2154
# Sourced by what prepares cases with OVS: this machine's OVS with DPDK and testpmd, with what they need of what the lab's
# image (Debian 12, as here) does not have.
# shellcheck source=tests/lib.sh
. "$tests/lib.sh"
need openvswitch-switch-dpdk dpdk-dev
programs=(/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk /usr/sbin/ovsdb-server /usr/bin/ovsdb-tool /usr/bin/ovs-vsctl
	/usr/bin/ovs-ofctl /usr/bin/dpdk-testpmd)
# DPDK loads what is in this folder
drivers=(/usr/lib/x86_64-linux-gnu/dpdk/pmds-*/librte_{net_af_packet,net_vhost,net_virtio,mempool_ring,bus_vdev,bus_pci}.so.*)
for file in "${programs[@]}" "${drivers[@]}"; do
	echo "$file"
	ldd "$file" | awk '$3 ~ /^\// {print $3}'
done >"$tools/needed"
xargs -n 1 readlink -f <"$tools/needed" >"$tools/files"
echo /usr/share/openvswitch/vswitch.ovsschema >>"$tools/files"
sort -u "$tools/needed" "$tools/files" | tar -C / -cf "$tools/ovs.tar" --no-recursion -P -T -
rm "$tools/needed" "$tools/files"
