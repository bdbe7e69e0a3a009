# shellcheck shell=bash disable=SC2154
# fallback: OVS with DPDK
# shellcheck source=tests/lab/cases/ovs.prepare.sh
. "$here/cases/ovs.prepare.sh"
