# SPDX-License-Identifier: Apache-2.0
"""What is looked at before and after a command that is killed: a look is a text, equal where the states are equal."""
import json
import re


def as_text(*values):
    return "\n".join(json.dumps(value, sort_keys=True) for value in values)


def host(p):
    """All that the tool shows but the fields that are said to be unsteady. No VFs can be said in two ways."""
    text = re.sub(r'"lease \d+ \(', '"lease (', p.must("host", "show", "--json"))
    return "\n".join(line for line in text.splitlines() if '"vf": []' not in line and not p.unsteady.search(line))


def leases(p):
    lines = p.must("guest", "list", "--json").splitlines()
    return "\n".join(line for line in lines if '"id"' not in line and '"created"' not in line)


def vswitch(p):
    """OVS, and what the PF takes frames for."""
    file = p.file()
    return as_text(file.get("ovs"), file.get("sim", {}).get("fdb") or [])


def domains(p):
    """The domains' own words, and netdevs of ours."""
    file = p.file()
    ours = [netdev for netdev in file.get("sim", {}).get("netdevs") or [] if netdev.get("ours") or netdev.get("half")]
    return as_text([[domain.get(key) for key in ("name", "xml", "live")] for domain in file["domains"]],
                   sorted(ours, key=lambda netdev: netdev["name"]))


def bridges(p):
    """Bridges that go and come again are in another order."""
    found = [{"name": bridge["name"], "flows": bridge.get("flows"), "ports": [port["name"] for port in bridge["ports"]]}
             for bridge in p.file()["ovs"]["bridges"]]
    return as_text(*sorted(found, key=lambda bridge: bridge["name"]))


def records(p):
    """Intents, pools, networks; entries are recorded with or without a mark that says nothing."""
    return "\n".join(row for statement in (
        "SELECT address, replace(intent, ',\"ext\":true', '') FROM pf WHERE intent IS NOT NULL ORDER BY address",
        "SELECT * FROM pool ORDER BY pf, first", "SELECT * FROM physnet_pf ORDER BY pf",
        "SELECT * FROM physnet ORDER BY name") for row in p.query(statement))


def tuning(p):
    """A thread that was not pinned is pinned to all CPUs again: the same to it."""
    items = json.loads(p.run("guest", "tune", "web1", "--node", "1", "--plan", "--json").out)["items"]
    return as_text(*([item.get(key) for key in ("item", "now", "config")] for item in items)).replace('"0-31"', '""')


def hooked(p):
    """VF 3 of ens2f0 and its rules, the leases, what is recorded."""
    pf = next(pf for pf in p.file()["pfs"] if pf["netdev"] == "ens2f0")
    return "\n".join((as_text(pf["vf"][3]["attrs"], pf.get("rules") or []),
                      *p.query("SELECT guest, state FROM lease"), *p.query("SELECT intent FROM pf")))


# Any other look is a command of the tool.
LOOKS = {look.__name__: look for look in (host, leases, vswitch, domains, bridges, records, tuning, hooked)}
