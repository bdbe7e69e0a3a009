# shellcheck shell=bash
# flow-bench [ROUNDS [ROUNDS-OF-PEOPLE]]: 2,000 rules, three ways, interleaved in one run:
#   bare    a loop of the same ioctls (tests/bench/bare-flow.c)
#   tool    sriovctl flow apply
#   people  one `ethtool -N` a rule
# Counts are gated. Times are reported as medians and ratios, and loosely gated: the NIC is emulated and the CPU too (TCG).
. /share/cases/lib.sh
rounds=${1:-5} people_rounds=${2:-1} count=2000
t "the PF is up and has a link" pf_up
dev=$(pf) driver=$(pf_driver)
ethtool -K "$dev" ntuple on
t "the link is back" pf_up
# from the guest's own disk, and measured alike
cp /share/sriovctl /share/bare-flow /share/nfccalls.so /tmp/
/tmp/bare-flow rules $count >/tmp/rules
/tmp/bare-flow ethtool $count >/tmp/words
ms() { echo $(((${EPOCHREALTIME/./} - $1) / 1000)); }
counted() { NFCCALLS=$1 LD_PRELOAD=/tmp/nfccalls.so "${@:2}"; }
way_bare() { counted /tmp/calls-bare /tmp/bare-flow "$dev" $count 1; }
way_tool() { counted /tmp/calls-tool /tmp/sriovctl flow apply /tmp/rules --pf "$dev"; }
way_people() { while read -r rule; do ethtool -N "$dev" $rule; done </tmp/words; }
median() { sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }
kernel_us() { sed 's/.*kernel_us=//' "/tmp/calls-$1" | median; }

ways=(bare tool people)
for ((n = 0; n < rounds; n++)); do
	for i in 0 1 2; do
		way=${ways[(n + i) % 3]}
		[ $way != people ] || [ $n -lt "$people_rounds" ] || continue
		start=${EPOCHREALTIME/./}
		"way_$way" >/tmp/out 2>&1
		ms "$start" >>/tmp/times-$way
		is "$(rules)" $count "round $n, $way: all are there" || _comment "$(head -n 5 /tmp/out)"
		if [ $way = tool ]; then exits 0 "and away" s flow delete "$dev" --all; fi
		/tmp/bare-flow "$dev" clear
	done
done
like "$(tail -n 1 /tmp/calls-tool)" "insert=$count delete=0 locations=2 rule=$count sync=2" \
	"$count inserts, one look at the table before, one readback, two durable commits"
_comment "$(tail -n 1 /tmp/calls-tool)"
bare=$(median </tmp/times-bare) tool=$(median </tmp/times-tool) people=$(median </tmp/times-people)
bare_us=$(kernel_us bare) tool_us=$(kernel_us tool)
echo "figure: $driver (emulated), $count rules, $rounds rounds, medians: bare $bare ms, flow apply $tool ms, ethtool -N $people ms"
awk -v d="$driver" -v b="$bare_us" -v k="$tool_us" -v t="$tool" -v p="$people" 'BEGIN {
	printf "figure: %s (emulated): kernel phase %.0f ms, %.2fx of the bare loop (%.0f ms); one ethtool -N a rule is %.1fx of the whole command\n",
		d, k / 1e3, k / b, b / 1e3, p / t }'
t "the kernel phase within twice the bare loop" test "$tool_us" -le $((bare_us * 2))
t "and the command at least 5 times ahead of one ethtool -N a rule" test $((tool * 5)) -le "$people"
