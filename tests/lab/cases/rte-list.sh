# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of cases/lib.sh and rte.lib.sh
# rte-list: sriov-rte on net_e1000_igb with the NIC that QEMU has, which does not steer by these filters: rules are
# created and listed, come back after kill -9, and the port comes back to igb.
. /share/cases/lib.sh
. /share/cases/rte.lib.sh
address=$(pf_addr)
modprobe -a vfio-pci vfio_iommu_type1
echo 256 >/proc/sys/vm/nr_hugepages
exits 0 "the port is given to vfio-pci" s pf bind "$address" --driver vfio-pci
own --pci "$address" --queues 2
_comment "$(cat /tmp/owner.log)"
printf '%s\n' "name ptp flow-type ether proto 0x88f7 queue 1" >/tmp/rules
exits 0 "a list is applied" s flow apply /tmp/rules --backend rte --socket "$socket"
like "$out" "net_e1000_igb.: 1 rte_flow rules created" "its rule is created"
echo "flow-type ether proto 0x88f7 drop" >/tmp/no
exits 1 "a drop is refused" s flow apply /tmp/no --backend rte --socket "$socket"
gone KILL
own --pci "$address" --queues 2
like "$(s flow list --backend rte --socket "$socket")" "ptp +ethertype +ether proto 0x88f7 -> queue 1" "the rule is back"
gone TERM
exits 0 "the port is the kernel's again" s pf bind "$address" --driver default
is "$(pf_driver)" igb "by its driver"
