#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The port's own distribution by whole commands: set, shown, put back by restore, by undoing, and by a plan that
# resets the port of a driver that forgets it.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# queues PF: the queues that its table has, each once
queues() { "$tool" rss show "$1" --json | jq -c '.table | unique'; }
entries() { "$tool" rss show "$1" --json | jq '.table | length'; }

new_host
is "as the driver has it" 32 "$(queues ens2f0 | jq length)"
expect 0 rss set ens2f0 queues 2-3 --dry-run
showed "spread what no rule catches over RX queues 2-3 of ens2f0 (RSS)" "! for all traffic of the port" \
	"note: RSS is for the whole port"
is "a dry run" 32 "$(queues ens2f0 | jq length)"
change rss set ens2f0 queues 2-3
is "queues" '[2,3]' "$(queues ens2f0)"
is "entries" 128 "$(entries ens2f0)"
expect 0 rss show ens2f0
showed "RSS table of 128 entries" "50.0 %"
change rss set ens2f0 queues 5
is "one queue" '[5]' "$(queues ens2f0)"
change rss set ens1f0 queues 0-2
is "i40e's table" 512 "$(entries ens1f0)"
over

# ---- what cannot be ----
before=$(cat "$host")
expect 1 rss set ens2f0 queues 30-32
said "there is no RX queue 32 that RSS can use: the port has 32, the last is 31" "0-31"
expect 1 rss set ens2f0 queues 5-2
said "the first is above the last"
expect 1 rss set ens2f0 queues 2-x
said "not a range of RX queues"
expect 1 rss set ens2f0 queue 2-3
said "expected 'queues'"
is "nothing was tried" "$before" "$(cat "$host")"

# ---- the driver refuses, or lies ----
deviate '[{"op": "rss_set", "errno": "EINVAL"}]'
expect 1 rss set ens2f0 queues 0-1
said "rss_set fails"
deviate '[{"op": "rss_set", "lie": true}]'
expect 1 rss set ens2f0 queues 0-1
said "this is missing: spread what no rule catches over RX queues 0-1"
deviate '[]'
is "as it was" '[5]' "$(queues ens2f0)"

# ---- a reset of an ixgbe port fills the table anew: the plan that resets it puts it back ----
expect 0 rss set ens2f0 queues 1-2
expect 0 flow add ens2f0 --name dns udp4 dst-port 53 drop --dry-run
showed "switch ntuple filters on" "spread what no rule catches over RX queues 1-2"
change flow add ens2f0 --name dns udp4 dst-port 53 drop
is "still there" '[1,2]' "$(queues ens2f0)"
change vf create ens2f0 --count 4
is "still there" '[1,2]' "$(queues ens2f0)"
expect 0 vf delete ens2f0
is "still there" '[1,2]' "$(queues ens2f0)"
expect 0 rss set ens2f0 queues 6-7
expect 1 vf create ens2f0 --count 4
said "with 4 VFs the PF has 4 RX queues, and its RSS table uses queue 6" "rss set 0000:81:00.0 queues 0-3"

# ---- restore ----
edit_host '.pfs |= map(del(.rss))'
is "lost" 32 "$(queues ens2f0 | jq length)"
change restore ens2f0
is "back" '[6,7]' "$(queues ens2f0)"
over
