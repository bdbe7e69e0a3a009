# SPDX-License-Identifier: Apache-2.0
"""Times of the product's own commands on the OVS of OVS_RUNDIR: vswitch-attach.py SRIOVCTL NETWORK

Prints median and minimum of 11 interleaved rounds, in milliseconds: "port" and "vf" (what `guest attach` takes that gives a
vhost-user port, or a VF; without OVS's own time and without ovs-ofctl), "port_cpu" and "vf_cpu" (CPU time of these), "ofctl"
(time of the ovs-ofctl that an attach starts), "vsctl" (CPU time of ovs-vsctl that makes such a port). The network has one
free VF.
"""
import os
import re
import statistics
import subprocess
import sys
import time

tool, net = sys.argv[1:]
rundir = os.environ["OVS_RUNDIR"]
database = f"--db=unix:{rundir}/db.sock"


def run(*words):
    """Its standard error, and the milliseconds and the CPU milliseconds it took, with what it started."""
    with open(f"{rundir}/bench.err", "w+", encoding="utf-8") as said, open(os.devnull, "w", encoding="utf-8") as null:
        began = time.monotonic()
        child = subprocess.Popen(words, stdout=null, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        took = (time.monotonic() - began) * 1e3
        said.seek(0)
        text = said.read()
    if status:
        sys.exit(f"{' '.join(words)} failed: {text}")
    return text, took, (usage.ru_utime + usage.ru_stime) * 1e3


def sriovctl(*words):
    return run(tool, "guest", *words)


def attach():
    """Milliseconds and CPU milliseconds of its own, and milliseconds of ovs-ofctl."""
    text, took, cpu = sriovctl("attach", "bench", "--net", net, "--hands-off", "--debug=ovs")
    sriovctl("detach", "bench")
    ovs = sum(int(us) for us in re.findall(r"OVS took (\d+) us", text)) / 1e3
    ofctl = [(int(us) / 1e3, int(cpu) / 1e3) for us, cpu in re.findall(r"ovs-ofctl \S+ took (\d+) us, (\d+) us", text)]
    spent = sum(wall for wall, _ in ofctl)
    return took - ovs - spent, cpu - sum(cpu for _, cpu in ofctl), spent


values = {name: [] for name in ("port", "port_cpu", "vf", "vf_cpu", "ofctl", "vsctl")}
for _ in range(12):
    wall, cpu, _ = attach()
    values["vf"].append(wall)
    values["vf_cpu"].append(cpu)
    sriovctl("attach", "other", "--net", net, "--hands-off")
    wall, cpu, ofctl = attach()
    values["port"].append(wall)
    values["port_cpu"].append(cpu)
    values["ofctl"].append(ofctl)
    sriovctl("detach", "other")
    values["vsctl"].append(run("ovs-vsctl", database, "add-port", f"br-{net}", "other", "--", "set", "Interface", "other",
                               "type=dpdkvhostuserclient", f"options:vhost-server-path={rundir}/other.sock",
                               "external_ids:iface-id=net/web1", "external_ids:iface-status=active",
                               "external_ids:attached-mac=52:54:00:00:00:01", "external_ids:vm-uuid=c0ffee00")[2])
    run("ovs-vsctl", database, "del-port", f"br-{net}", "other")
# the first round warms caches
for name, list_ in values.items():
    print(name, f"{statistics.median(list_[1:]):.2f}", f"{min(list_[1:]):.2f}")
