# SPDX-License-Identifier: Apache-2.0
"""Times of ports and flows on the OVS of OVS_RUNDIR: vswitch.py HELPER BRIDGE RULES

Prints median and minimum of 11 interleaved rounds: "own" (milliseconds of making a port, but for OVS's own time between
the commit and its update), "cpu", "process" and "vsctl" (CPU milliseconds of making and deleting a port: of the calls,
of the whole process that does nothing else, and of ovs-vsctl), "bundle" (RULES read, compiled and installed, a list that
changes each time).
"""
import os
import re
import statistics
import subprocess
import sys

helper, bridge, rules = sys.argv[1:]
rundir = os.environ["OVS_RUNDIR"]
database = f"--db=unix:{rundir}/db.sock"
GUEST = "web1,2,52:54:00:00:00:01"


def run(*words):
    """Its standard error, and the CPU milliseconds it took."""
    with open(f"{rundir}/bench.err", "w+", encoding="utf-8") as said, open(os.devnull, "w", encoding="utf-8") as null:
        child = subprocess.Popen(words, stdout=null, stderr=said, env={**os.environ, "TIMES": "1"})
        _, status, usage = os.wait4(child.pid, 0)
        said.seek(0)
        text = said.read()
    if status:
        sys.exit(f"{' '.join(words)} failed: {text}")
    return text, (usage.ru_utime + usage.ru_stime) * 1e3


def number(pattern, text):
    return float(re.search(pattern, text).group(1))


own, cpu, process, vsctl, bundle = [], [], [], [], []
for round_ in range(12):
    text, used = run(helper, "live", "port-add", bridge, "bench", f"{rundir}/bench.sock")
    own.append(number(r"wall ([\d.]+)", text) - number(r"OVS took (\d+) us", text) / 1e3)
    deleted, also = run(helper, "live", "port-del", bridge, "bench")
    process.append(used + also)
    cpu.append(number(r"cpu ([\d.]+)", text) + number(r"cpu ([\d.]+)", deleted))
    _, used = run("ovs-vsctl", database, "add-port", bridge, "bench", "--", "set", "Interface", "bench",
                  "type=dpdkvhostuserclient", f"options:vhost-server-path={rundir}/bench.sock",
                  "external_ids:iface-id=net/web1", "external_ids:iface-status=active",
                  "external_ids:attached-mac=52:54:00:00:00:01", "external_ids:vm-uuid=c0ffee00")
    _, also = run("ovs-vsctl", database, "del-port", bridge, "bench")
    vsctl.append(used + also)
    with open(rules, encoding="utf-8") as file, open(f"{rules}.now", "w", encoding="utf-8") as now:
        now.write(f"udp4 dst-port {1 + round_} drop\n" + file.read())
    text, _ = run(helper, "live", "policy", bridge, f"{rules}.now", "1", GUEST)
    bundle.append(number(r"wall ([\d.]+)", text))
# the first round warms caches
for name, values in (("own", own), ("cpu", cpu), ("process", process), ("vsctl", vsctl), ("bundle", bundle)):
    print(name, f"{statistics.median(values[1:]):.2f}", f"{min(values[1:]):.2f}")
