# shellcheck shell=bash
# flow-bench [ROUNDS [ROUNDS-OF-PEOPLE]]: 2,000 rules, three ways, interleaved in one run:
#   bare    a loop of the same ioctls (tests/bench/bare-flow.c)
#   tool    sriovctl flow apply
#   people  one `ethtool -N` a rule: minutes, so only if ROUNDS-OF-PEOPLE says so
# Counts are gated. Times are reported as medians and ratios, and loosely gated: NIC and CPU are emulated (TCG), and another
# guest runs beside this one.
. /share/cases/lib.sh
rounds=${1:-5} people_rounds=${2:-0} count=2000
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
# shellcheck disable=SC2086 # the rule's words
way_people() { while read -r rule; do ethtool -N "$dev" $rule; done </tmp/words; }

ways=(bare tool people)
for ((n = 0; n < rounds; n++)); do
	for i in 0 1 2; do
		way=${ways[(n + i) % 3]}
		[ "$way" != people ] || [ $n -lt "$people_rounds" ] || continue
		start=${EPOCHREALTIME/./}
		"way_$way" >/tmp/out 2>&1
		ms "$start" >>"/tmp/times-$way"
		is "$(rules)" $count "round $n, $way: all are there" || _comment "$(head -n 5 /tmp/out)"
		if [ "$way" = tool ]; then exits 0 "and away" s flow delete "$dev" --all; fi
		/tmp/bare-flow "$dev" clear
	done
done
# i40e: one delete behind the table has the driver forget what the NIC had no room for
settle=$([ "$driver" = i40e ] && echo 1 || echo 0)
like "$(tail -n 1 /tmp/calls-tool)" "insert=$count delete=$settle locations=2 rule=$count sync=" \
	"$count inserts, one look at the table before, one readback after"
_comment "$(tail -n 1 /tmp/calls-tool)"
# 2 durable commits, and SQLite's one sync of the folder; and the log, which this makes long, is folded in and cut off: three
t "2 durable commits, and the log cut off" grep -q "sync=6 " /tmp/calls-tool
for way in bare tool; do sed 's/.*kernel_us=//' /tmp/calls-$way >/tmp/kernel-$way; done
bare=$(median /tmp/times-bare) tool=$(median /tmp/times-tool)
bare_us=$(median /tmp/kernel-bare) tool_us=$(median /tmp/kernel-tool)
awk -v d="$driver" -v r="$rounds" -v n=$count -v b="$bare_us" -v k="$tool_us" -v t="$tool" -v w="$bare" 'BEGIN {
	printf "figure: %s (emulated), %d rules, %d rounds, medians: kernel phase %.0f ms, %.2fx of the bare loop (%.0f ms)\n",
		d, n, r, k / 1e3, k / b, b / 1e3
	printf "figure: %s (emulated): the whole flow apply %d ms, the whole bare program %d ms\n", d, t, w }'
at_most "$(times_ratio /tmp/kernel-tool /tmp/kernel-bare)" 2 "the kernel phase within twice the bare loop"
if [ "$people_rounds" -gt 0 ]; then
	people=$(median /tmp/times-people)
	awk -v d="$driver" -v t="$tool" -v p="$people" -v n=$count 'BEGIN {
		printf "figure: %s (emulated): one ethtool -N a rule %.1f s, %.1fx of the whole flow apply\n", d, p / 1e3, p / t }'
	at_most "$(times_ratio /tmp/times-tool /tmp/times-people)" 0.2 \
		"the command at least 5 times ahead of one ethtool -N a rule"
fi
