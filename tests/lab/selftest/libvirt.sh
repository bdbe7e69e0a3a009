# shellcheck shell=bash
# libvirtd in the guest gives a VF to a paused domain by <interface type='hostdev' managed='yes'> and takes it back.
. /lab/lib.sh

t "the PF is up and has a link" pf_up
t "2 VFs" vfs_create 2
# libvirt 9.0 gives back the MAC of the VF's netdev as the administrative one, whatever that was: make them equal first.
ip link set "$(pf)" vf 1 mac 02:00:00:00:00:11
t "VF 1 takes its administrative MAC" vf_rebind 1
old=$(ip link show "$(pf)" | grep 'vf 1')
driver=$(vf_driver 1)
addr=$(vf_addr 1)
IFS=':.' read -r domain bus slot function <<<"$addr"
t "libvirtd answers" start_libvirtd

cat >/tmp/vm.xml <<X
<domain type='qemu'>
  <name>vm1</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/><memballoon model='none'/>
    <interface type='hostdev' managed='yes'>
      <mac address='52:54:00:aa:bb:01'/>
      <source><address type='pci' domain='0x$domain' bus='0x$bus' slot='0x$slot' function='0x$function'/></source>
      <vlan><tag id='42'/></vlan>
    </interface>
  </devices>
</domain>
X
t "the XML is valid" virt-xml-validate /tmp/vm.xml domain
t "define" virsh -q define /tmp/vm.xml
t "start --paused" virsh -q start vm1 --paused
is "$(vf_driver 1)" vfio-pci "the VF is on vfio-pci"
like "$(ip link show "$(pf)" | grep 'vf 1')" "52:54:00:aa:bb:01.*vlan 42" "the PF shows the domain's MAC and VLAN"
like "$(virsh nodedev-dumpxml "pci_${addr//[:.]/_}")" "<iommuGroup" "libvirt knows the VF's IOMMU group"
t "destroy" virsh -q destroy vm1
is "$(vf_driver 1)" "$driver" "the VF is back on $driver"
is "$(ip link show "$(pf)" | grep 'vf 1')" "$old" "the PF shows the VF as before"
