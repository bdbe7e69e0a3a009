# shellcheck shell=bash disable=SC2034
# Sourced by the cases with guests on vhost-user, after lib.sh: the wire, the PF, and on it an OVS with DPDK (brought by
# ovs.prepare.sh) that sleeps up to $sleep microseconds when nothing comes.
umask 022 # DPDK loads nothing from a folder that others may write to
tar -P -xf /share/ovs.tar --skip-old-files
ls -d /usr/lib/x86_64-linux-gnu/dpdk/pmds-* >/etc/ld.so.conf.d/dpdk.conf
ldconfig
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
t "the peer is up" peer_setup
t "the PF is up and has a link" pf_up
dev=$(pf)
modprobe -a veth tun
run=/run/openvswitch
mkdir -p $run /etc/openvswitch /var/lib/vhost_sockets /run/dpdk
ovsdb-tool create $run/conf.db /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server $run/conf.db --remote=punix:$run/db.sock --pidfile=$run/ovsdb-server.pid --no-chdir --detach -vconsole:off
ovs-vsctl --no-wait init
ovs-vsctl --no-wait set Open_vSwitch . other_config:dpdk-init=true other_config:per-port-memory=true \
	other_config:pmd-cpu-mask=0x2 other_config:pmd-maxsleep="${sleep:-1000}" \
	other_config:dpdk-extra="--no-huge --legacy-mem -m 256 --no-pci --no-telemetry"
exits 0 "OVS with DPDK runs" /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk unix:$run/db.sock \
	--pidfile=$run/ovs-vswitchd.pid --log-file=$run/log --no-chdir --detach -vconsole:off
[ "$(ovs-vsctl get Open_vSwitch . dpdk_initialized)" = true ] || { tail -n 20 $run/log; bail "no OVS"; }


# network NAME: a physnet with a bridge of the PF. On a busy host OVS may not be done in time here; then nothing is left, and
# it may be asked again.
network() {
	made() { s physnet add "$1" "$dev" --bridge "br-$1" --uplink af_packet --kernel-timeout 300 >/tmp/out 2>&1; }
	wait_until "made $1" 120 || { cat /tmp/out && bail "no bridge"; }
	ok "the network"
}
# lost ADDRESS SECONDS: shell code that prints how many per cent of five pings are lost. Each is waited for: once others were
# answered, ping waits no longer for its last one than twice the slowest of them
lost() {
	echo "lost=0; for i in 1 2 3 4 5; do ping -q -c 1 -W $2 $1 >/dev/null 2>&1 || lost=\$((lost + 20)); done; echo \$lost"
}
# lease GUEST MEMBER
lease() { s guest list --json | jq -r --arg g "$1" '.leases[] | select(.guest == $g) | '"$2"; }
