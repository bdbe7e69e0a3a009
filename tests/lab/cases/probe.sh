# shellcheck shell=bash
# The NIC is asked itself. Its answers are those of the emulated model, and are recorded as "emulated"; nothing is left
# behind, also after kill -9 with a rule in the table.
. /share/cases/lib.sh
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
dev=$(pf)
wire=$(_netdev_of "$(echo /sys/bus/pci/devices/0000:00:11.0/virtio*)")
ip link set "$wire" up

# answers: question=answer, a line each, of the JSON in $out
answers() { jq -r '.evidence[] | "\(.question)=\(.answer)"' <<<"$out"; }

as_before() { if d=$(diff <(echo "$before") <(port)); then ok "the port is as it was"; else fail "the port is as it was"; _comment "$d"; fi; }

exits 1 "without a VF there is nothing to probe with" s flow probe "$dev" --wire "$wire" --consent
like "$out" "sriovctl vf create PF --count 1" "it says how to make one"
if [ "$(pf_driver)" = i40e ]; then
	exits 0 "2 VFs" s vf create "$dev" --count 2
	exits 1 "a VF without a MAC would keep the one that its driver makes up" s flow probe "$dev" --consent
	like "$out" "--mac auto" "it says what to do"
	exits 0 "MACs" s vf set "$dev" all --mac auto
else
	exits 0 "2 VFs" s vf create "$dev" --count 2
fi
vf=$(vf_netdev 0)
vf_netdev 1 >/dev/null # what the port shows has both
ip link set "$dev" down
before=$(port)

exits 0 "without consent: the plan" s flow probe "$dev" --wire "$wire"
like "$out" "consent of the port's owner" "it asks for consent"
like "$out" "install rule redirect at location 1" "the rules are told"
as_before
is "$(s flow probe --show --json | jq -c .evidence)" "[]" "nothing is recorded"

exits 0 "with consent" s flow probe "$dev" --wire "$wire" --consent --json
_comment "$(jq -r '.evidence[] | "\(.question): \(.answer): \(.counts)"' <<<"$out")"
case $(pf_driver) in
ixgbe) want="redirect=yes switched=no drop-ports=yes drop-vfs=yes" ;;
i40e) want="redirect=no switched=yes reach=no drop-vfs=yes" ;;
esac
is "$(answers | paste -sd' ')" "$want" "the answers are the model's"
is "$(jq -r '[.evidence[].nature] | unique[]' <<<"$out")" "emulated" "they are called emulated"
is "$(jq -r '.plans[0].status' <<<"$out")" "done" "the plan was done"
as_before
is "$(rules)" 0 "no rule is left"
is "$(s history --json | jq -r '.journals[0].status')" "undone" "the change was undone"
recorded=$(s flow probe "$dev" --show)
like "$recorded" "emulated: its permanent MAC 52:54:00" "what is recorded says how that is told"
_comment "$recorded"

# without a wire
exits 0 "without a cable" s flow probe "$dev" --vf 1 --consent --json
like "$(answers | paste -sd' ')" "redirect=unknown: needs --wire switched=(yes|no) " "only switched traffic"
as_before
is "$(s flow probe --show --json | jq '.evidence | length')" 4 "the answers of before are kept"

# not idle
ip link set "$vf" up
exits 3 "a VF in use" s flow probe "$dev" --wire "$wire" --consent
like "$out" "netdev $vf is up" "it says by what"
ip link set "$vf" down
echo 1 >"/proc/sys/net/ipv4/conf/$dev/forwarding"
exits 3 "a port that forwards" s flow probe "$dev" --wire "$wire" --consent
echo 0 >"/proc/sys/net/ipv4/conf/$dev/forwarding"

# kill -9 as soon as a rule stands: the next command takes all of it back
ip link set "$dev" down
[ "$(pf_driver)" = i40e ] && ethtool -K "$dev" ntuple on
before=$(port)
/tmp/sriovctl flow probe "$dev" --wire "$wire" --consent >/dev/null 2>&1 &
probe=$!
for _ in {1..2000}; do
	kill -STOP $probe || break
	wait_until "grep -q '^State:.[TZ]' /proc/$probe/status" 10
	[ "$(rules)" != 1 ] || break
	kill -CONT $probe
	read -rt 0.05 -u "$_never" || true
done
kill -9 $probe
wait $probe
is "$(rules)" 1 "a rule is in the table when it is killed"
exits 0 "the next command" s flow delete "$dev" --all
like "$out" "first recovered journal .* undone" "it recovers by undoing"
as_before
is "$(rules)" 0 "no rule is left"
is "$(cat "/sys/class/net/$vf/flags")" 0x1002 "the VF's netdev is down again"
is "$(s flow list "$dev" --json | jq -c '.ports[0].rules')" "[]" "no rule became ours"
exits 0 "all VFs go" s vf delete "$dev"
