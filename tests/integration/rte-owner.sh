#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sriov-rte by whole commands, on virtual devices of DPDK: what it says of ports that it cannot have, requests good and
# bad, restart after kill -9, a second owner. A kernel without cls_flower cannot carry net_tap's rules out: what would
# be created is written down instead by the library that testpmd.sh uses too.
# shellcheck source=tests/harness.sh disable=SC2119
. "$(dirname "$0")/../harness.sh"
tool=$release
with gcc python3 setpriv
owner=$repo/build/sriov-rte
[ -x "$owner" ] || skip "sriov-rte is not built: libdpdk-dev or libsystemd-dev is missing"
[ -w /dev/net/tun ] || skip "/dev/net/tun is not there"

new_host
socket=$work/rte.sock
memory=(--no-huge -m 128)
pid=''
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; finish' EXIT

read -ra dpdk <<<"$(pkg-config --cflags libdpdk)"
gcc -std=gnu17 -O1 -shared -fPIC -Wall -Wextra -Wno-unused-parameter "${dpdk[@]}" -o "$work/echo.so" \
	"$repo/tests/integration/testpmd_echo.c"

# says STATUS FRAGMENT OWNER-ARGUMENTS…: an owner that does not start, and why
says() {
	local wanted=$1 fragment=$2 code=0
	shift 2
	command="(sriov-rte) $*"
	timeout 60 "$owner" --socket "$socket" "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
	is "status of the owner" "$wanted" "$code"
	has "what the owner says" "$(out)$(err)" "$fragment"
}

# start OWNER-ARGUMENTS…: until it answers; real or pretended by $preload
preload=''
start() {
	LD_PRELOAD=$preload ECHO=$work/echo "$owner" --socket "$socket" "$@" -- "${memory[@]}" \
		>"$work/owner.log" 2>&1 </dev/null &
	pid=$!
	for _ in $(seq 600); do
		"$tool" flow list --backend rte --socket "$socket" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	fail "the owner does not answer: $(cat "$work/owner.log")"
}
stop() {
	local code=0
	kill "-$1" "$pid"
	wait "$pid" 2>/dev/null || code=$?
	pid=''
	[ "$1" = KILL ] || is "status of a clean stop" 0 "$code"
}

# raw TEXT [HALF]: sent as it is (\n too); the first line that comes back; HALF: not waited for
raw() {
	python3 - "$socket" "$@" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
s.connect(sys.argv[1])
text = sys.argv[2].encode().decode('unicode_escape').encode()
if text.startswith(b'A*'):
    text = b'{"version":1,"do":"apply","rules":"' + b'a' * int(text[2:])
try:
    s.sendall(text)
except BrokenPipeError:
    pass
if len(sys.argv) > 3:
    sys.exit()
answer = b''
while not answer.endswith(b'\n'):
    more = s.recv(65536)
    if not more:
        break
    answer += more
sys.stdout.write(answer.decode())
END
}

# ---- ports that it cannot have ----
says 0 "usage: sriov-rte" --help
says 0 "sriov-rte 0." --version
says 1 "no port is named"
says 1 "no option of sriov-rte" --colour
says 1 "'0' is not a number from 1 to 64" --vdev net_null0 --queues 0
says 1 "there is no such PCI device" --pci 0000:fe:1f.7
for device in /sys/bus/pci/devices/*; do
	[ -e "$device/driver" ] || continue
	says 1 "of the kernel has it" --pci "${device##*/}"
	break
done
[ "$(awk '/^HugePages_Free/ {print $2}' /proc/meminfo)" != 0 ] || {
	says 1 "hugepages: none is free" --vdev net_tap0
	has "what to do" "$(err)" "/proc/sys/vm/nr_hugepages"
}
says 1 "net_null0: its driver net_null has no rte_flow" --vdev net_null0 -- "${memory[@]}"
says 1 "DPDK: it does not start" --vdev net_nothing0 -- "${memory[@]}"
says 1 "no such snapshot" --host "$work/nothing.json" --vdev net_tap0 -- "${memory[@]}"
is "sockets that were left behind" '' "$(find "$work" -name 'rte.sock')"

# what is not its own is left alone, and nothing is begun
rm -f "$socket.lock"
echo precious >"$socket"
says 1 "rte.sock: something is there that is no socket" --vdev net_tap0 -- "${memory[@]}"
is "a file of the socket's name" precious "$(cat "$socket")"
is "no lock is made beside it" '' "$(find "$work" -name 'rte.sock.lock')"
rm "$socket"
ln -s /dev/null "$socket"
says 1 "something is there that is no socket" --vdev net_tap0 -- "${memory[@]}"
rm "$socket"
echo precious >"$socket.lock"
says 1 "rte.sock.lock: something is there that is no lock" --vdev net_tap0 -- "${memory[@]}"
is "a file of the lock's name" precious "$(cat "$socket.lock")"
rm "$socket.lock"
python3 - "$socket" <<'END' &
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
time.sleep(600)
END
other=$!
for _ in $(seq 600); do [ -S "$socket" ] && break || sleep 0.1; done
says 1 "another program listens there" --vdev net_tap0 -- "${memory[@]}"
is "another program's socket" socket "$(stat -c %F "$socket")"
kill "$other"
wait "$other" 2>/dev/null || true

# ---- no owner ----
echo 'flow-type tcp4 dst-port 80 queue 1' >"$work/web"
expect 1 flow apply "$work/web" --backend rte --socket "$socket"
said "no sriov-rte answers there" "sriov-rte --pci ADDRESS"
expect 1 flow apply "$work/web" --socket "$socket"
said "--socket: it is where sriov-rte is asked"
expect 1 flow apply "$work/web" --backend rte --socket "$socket" --adopt
said "--adopt: it is about ports of the kernel"

# ---- the real net_tap, with the sanitizers on ----
[ ! -x "$repo/build-dev/sriov-rte" ] || owner=$repo/build-dev/sriov-rte
start --vdev net_tap0 --queues 2
expect 0 flow list --backend rte --socket "$socket"
showed "net_tap0 (net_tap), 2 queues: 0 entries" "hits of a rule: not available"
has "what becomes of packets" "$(cat "$work/owner.log")" "nobody takes them (--sink would count and drop them)"
is "the socket's mode" 600 "$(stat -c %a "$socket")"
cat >"$work/list" <<'END'
name web flow-type tcp4 dst-ip 10.0.0.0/8 dst-port 80 queue 1
name dns flow-type udp6 dst-ip 2001:db8::1 dst-port 53 drop
name ptp flow-type ether proto 0x88f7 queue 0
END
# a kernel without cls_flower is known at the start, and told by dry run and change alike
takes=0
! grep -q "net_tap0: it takes no rules" "$work/owner.log" || takes=1
expect $takes flow apply "$work/list" --backend rte --socket "$socket" --dry-run
if [ $takes = 0 ]; then
	showed "net_tap0 (net_tap): 3 rte_flow rules would be created, 0 destroyed, 0 kept"
else
	said "net_tap0: it takes no rules" "kernel: net_tap: " "modprobe -a cls_flower"
fi
expect 1 flow apply "$work/web" --backend rte --socket "$socket" --pf net_tap7
said "net_tap7: this owner has no such port" "it has net_tap0"
echo 'flow-type tcp4 dst-port 80 queue 7' >"$work/far"
expect 1 flow apply "$work/far" --backend rte --socket "$socket"
said "net_tap0 has no RX queue 7"
expect $takes flow apply "$work/list" --backend rte --socket "$socket"
if [ $takes = 1 ]; then
	said "net_tap0: it takes no rules" "modprobe -a cls_flower"
	expect 0 flow list --backend rte --socket "$socket"
	showed "net_tap0 (net_tap), 2 queues: 0 entries" "  it takes no rules"
fi
says 1 "another sriov-rte has it (process $pid)" --vdev net_tap1 -- "${memory[@]}"
stop TERM
is "the socket after a clean stop" '' "$(find "$work" -name rte.sock)"
# a file that has taken the socket's place is not taken away
start --vdev net_tap0
rm "$socket"
echo precious >"$socket"
stop TERM
is "a file in the socket's place" precious "$(cat "$socket")"
rm "$socket"

# ---- a net_tap that takes everything ----
owner=$repo/build/sriov-rte
preload=$work/echo.so
: >"$work/echo"
start --vdev net_tap0 --queues 2 --sink
is "what is tried at the start" "flow create 0 ingress pattern eth type spec 0x88b5 type mask 0xffff / end actions drop / end" \
	"$(cat "$work/echo")"
: >"$work/echo"
expect 0 flow apply "$work/list" --backend rte --socket "$socket" --dry-run
showed "plan for net_tap0" "   1  install rule web (flower): tcp4 dst-ip 10.0.0.0/8 dst-port 80 -> queue 1" \
	"   3  install rule ptp (flower): ether proto 0x88f7 -> queue 0"
showed "3 rte_flow rules would be created, 0 destroyed, 0 kept"
{ cat "$work/list" && echo 'name odd tcp4 tos 4 queue 0 optional'; } >"$work/odd"
expect 0 flow apply "$work/odd" --backend rte --socket "$socket" --dry-run --partial
showed "  note: rule odd is left out: " "3 rte_flow rules would be created, 0 destroyed, 0 kept"
expect 0 flow apply "$work/odd" --backend rte --socket "$socket" --dry-run --partial --json
is "notes as JSON" 1 "$(jq '[.rte.notes[] | select(startswith("rule odd is left out"))] | length' "$work/out")"
is "what a dry run tells the driver to do" '' "$(cat "$work/echo")"
expect 0 flow apply "$work/list" --backend rte --socket "$socket"
showed "   2  install rule dns (flower): " "3 rte_flow rules created, 0 destroyed, 0 kept"
same "what the driver was told" "$(sed 's/^name [^ ]* //' "$work/list")" \
	"$("$tool" flow import "$work/echo" --from testpmd)"
expect 0 flow apply "$work/list" --backend rte --socket "$socket"
showed "0 rte_flow rules created, 0 destroyed, 3 kept"
sed -i '2d' "$work/list"
echo 'name more flow-type tcp4 dst-ip 11.0.0.0/8 dst-port 81 queue 0' >>"$work/list"
expect 0 flow apply "$work/list" --backend rte --socket "$socket" --json
is "counts as JSON" '1 1 2' "$(jq -r '.rte | "\(.created) \(.destroyed) \(.kept)"' "$work/out")"
is "steps as JSON" "rule dns: delete done,rule more: install done" \
	"$(jq -r '[.rte.steps[] | "\(.object): \(.what | split(" ")[0]) \(.state)"] | join(",")' "$work/out")"
is "members of a step" "disrupts,object,state,what" "$(jq -r '.rte.steps[0] | keys | join(",")' "$work/out")"
# an empty list is more often a mistake
for dry in --dry-run ''; do
	expect 3 flow apply /dev/null --backend rte --socket "$socket" $dry
	said "net_tap0: the list has no rules, and 3 rules of ours would go" "if that is meant: --force"
done
expect 0 flow apply /dev/null --backend rte --socket "$socket" --force --dry-run
showed "   1  delete rule web (flower): " "0 rte_flow rules would be created, 3 destroyed, 0 kept"
expect 0 flow list --backend rte --socket "$socket"
showed "more  flower  tcp4 dst-ip 11.0.0.0/8 dst-port 81 -> queue 0" "taken from its queues: "
has "isolation" "$(raw '{"version":1,"do":"isolate","on":true}\n')" '"isolated":true'
expect 0 flow list --backend rte --socket "$socket"
showed "net_tap0 (net_tap), 2 queues, isolated: 3 entries"
cp "$work/out" "$work/before"

# ---- kill -9, and back ----
stop KILL
: >"$work/echo"
start --vdev net_tap0 --queues 2 --sink
is "rules after kill -9" 3 "$(grep '^flow create' "$work/echo" | grep -vc 0x88b5)"
expect 0 flow list --backend rte --socket "$socket"
same "the list after kill -9" "$(grep -v -e received -e taken "$work/before")" "$(out | grep -v -e received -e taken)"
has "time to ready" "$(cat "$work/owner.log")" "1 port, ready in "
echo "figure: sriov-rte: $(grep -o 'ready in [0-9]* ms' "$work/owner.log") with net_tap and 3 rules (100 ms are DPDK's clock)"
stop TERM
start --vdev net_tap0 --queues 1 --sink
expect 0 flow list --backend rte --socket "$socket"
showed "what is recorded is not back: " "has no RX queue 1"
expect 0 flow list net_tap0 --backend rte --socket "$socket" --json
is "the list is not there in part" 0 "$(jq '.rte.ports[0].rules | length' "$work/out")"
# what is recorded would go as well
expect 3 flow apply /dev/null --backend rte --socket "$socket"
said "3 rules of ours would go"
stop TERM

# ---- bad requests ----
start --vdev net_tap0 --queues 2
entries() { "$tool" flow list --backend rte --socket "$socket" --json | jq '.rte.ports[0].rules | length'; }
while IFS=$'\t' read -r text fragment; do
	has "the answer to $text" "$(raw "$text\\n")" "$fragment"
done <<'END'
nothing	"ok":false
{	no JSON
[1]	a request is an object
{"version":"1","do":"query"}	'version' is not a number
{"version":2,"do":"query"}	version 2 is not known
{"version":1}	'do' is no request
{"version":1,"do":"explode"}	query, validate, apply or isolate
{"version":1,"do":"query","rules":""}	'rules' is no member of 'query'
{"version":1,"do":"query","do":"query"}	no JSON: duplicate
{"version":1,"do":"apply"}	'apply' needs 'rules'
{"version":1,"do":"apply","rules":5}	'rules' is of another type
{"version":1,"do":"apply","rules":"flow-type tcp4 dst-port x"}	dst-port needs a number
{"version":1,"do":"apply","rules":"flow-type udp4 guest web1"}	no guest holds a VF of a port that DPDK owns
{"version":1,"do":"apply","rules":"","allow":["best"]}	no result
{"version":1,"do":"apply","rules":"","port":"0000:00:00.0"}	has no such port
{"version":1,"do":"isolate","on":1}	'on' is of another type
{"version":1,"do":"query"}	"pid":
END
raw '{"version":1,"do":"app' half
raw '' half
has "a message that is too long" "$(raw 'A*17000000')" "longer than 16 MiB"
is "rules after all that" 3 "$(entries)"
has "two requests in one go" "$(raw '{"version":1,"do":"query"}\n{"version":1,"do":"query"}\n' | head -n 1)" '"ok":true'
expect 1 flow list --backend rte --socket "$work/$(printf 'x%.0s' $(seq 120))"
said "longer than the path of a socket can be"

# ---- clients that are in the way ----
# clients WHAT: of the socket, that stay; a line is said when they are as they shall be
clients() {
	coproc python3 - "$socket" "$1" <<'END'
import select, socket, sys, time
def client(text):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.setblocking(False)
    if text:
        s.send(text)
    return s
many = b'{"version":1,"do":"query"}\n' * 5000
all = [client(many)] if sys.argv[2] == 'deaf' else [client(b'') for _ in range(17)]
time.sleep(1.5)
print('ready', flush=True)
poll = select.poll()
poll.register(all[0], 0)
if poll.poll(60000):
    print('dropped', flush=True)
time.sleep(600)
END
	read -r -u "${COPROC[0]}" _
}
gone() {
	kill "$COPROC_PID"
	wait "$COPROC_PID" 2>/dev/null || true
}
clients silent
expect 0 flow list --backend rte --socket "$socket"
expect 0 flow list --backend rte --socket "$socket"
gone
stop TERM

# a client that does not read: with rules enough that its answers do not fit into the socket
for i in $(seq 3000); do echo "udp4 dst-ip 10.0.0.7 dst-port $i queue 0"; done >"$work/many"
start --vdev net_tap0 --queues 2 --sink
expect 0 flow apply "$work/many" --backend rte --socket "$socket"
clients deaf
took=$(date +%s%3N)
expect 0 flow list --backend rte --socket "$socket"
at_most "milliseconds beside a client that does not read" 8000 $(($(date +%s%3N) - took))
read -r -u "${COPROC[0]}" -t 60 word || word='still there'
is "one that does not read, after a time" dropped "$word"
gone
clients deaf
took=$(date +%s%3N)
stop TERM
at_most "milliseconds to stop beside it" 8000 $(($(date +%s%3N) - took))
gone

# ---- two ports ----
start --vdev net_tap0 --vdev net_tap1 --queues 2
expect 1 flow apply "$work/web" --backend rte --socket "$socket"
said "this owner has 2 ports: say which" "it has net_tap0, net_tap1: --pf names one; \`sriovctl flow list --backend rte\` shows them"
expect 0 flow apply "$work/list" --backend rte --socket "$socket" --pf net_tap0
stop TERM
start --vdev net_tap0 --queues 2

# ---- who may ask ----
chmod 755 "$work"
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$tool" flow list --backend rte --socket "$socket" 2>&1 || true; }
has "not root, by the socket's mode" "$(as_nobody)" "Permission denied"
chmod 666 "$socket"
has "not root, by who it is" "$(as_nobody)" "requests of root only are taken"
stop TERM

# ---- as a service ----
python3 - "$work/notify" >"$work/notified" <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(60)
told = ''
while 'STOPPING=1' not in told:
    told += s.recv(4096).decode() + '\n'
print(told)
END
listener=$!
for _ in $(seq 600); do [ -S "$work/notify" ] && break || sleep 0.1; done
export NOTIFY_SOCKET=$work/notify
start --vdev net_tap0 --queues 2
unset NOTIFY_SOCKET
stop TERM
wait "$listener" || fail "nothing was told to the service manager"
has "told when ready" "$(cat "$work/notified")" "READY=1"
has "and how it is" "$(cat "$work/notified")" "STATUS=1 ports, 3 entries"
