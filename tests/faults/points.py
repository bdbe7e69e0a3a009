#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a command at each of its calls that change something, and checks what is left and what comes after.

    points.py [OPTION…] KIND NAME [ARGUMENT…] -- COMMAND…

A KIND is a function at the end of this file. Each kill starts from the state that was there at first, and that is there
again at the end. For a point nothing is started but the tool: there are thousands of points, and other processes cost
more than it. How many checks were made and failed is left in the file "tally".
"""
import argparse
import json
import os
import sys
import time

from killat import Points

# ---- what must hold whoever was killed when ----


def readable(p):
    """The host and the journal can be read, the database is whole, one change is open at most."""
    p.must("host", "show", "--json")
    if p.has_database():
        if p.must("journal", "show", "--json").count('"id"') > 1:
            p.fail("two changes are open")
        whole(p)


def whole(p):
    p.equal("the database", ["ok"], p.query("PRAGMA integrity_check"))


def settled(p):
    """No change is open, and the history says of every change how it ended. The table of journals stands in for
    `journal show` and `history`, which read it: no process instead of two."""
    p.equal("changes neither committed nor undone", [], p.query(
        "SELECT id, status FROM journal WHERE status NOT IN ('committed', 'undone') OR ended IS NULL"))


def settled_generation(p):
    settled(p)
    p.equal("generations that are open", [], p.query(
        "SELECT id FROM generation WHERE status NOT IN ('committed', 'undone')"))


def ends(p, at, *command, state=None):
    """The command, after the kill, ends what was begun: in this state, or else in the old one or the new one."""
    p.at = at
    p.expect(*command)
    if state is None:
        p.either()
    else:
        p.same(state, p.now())


def ended_by_signal(p, over):
    """The change is undone by the command itself, or it was over before or after the signal."""
    for _ in p.signals(p.stride):
        p.either()
        if (p.last.status, p.state) in ((0, "new"), (1, "old"), (4, "old")):
            p.passed()
        else:
            p.fail(f"status {p.last.status} in the {p.state} state")
        over(p)


# ---- kinds ----


def look(p):
    """Prints the state; nothing is killed."""
    found = p.now()
    if p.failures:
        sys.exit(1)
    print(found)


def state(p, expected):
    """The state as it is is checked; nothing is killed."""
    p.same(expected, p.now())
    settled(p)


def every_point(p, pf):
    p.begin()
    p.must_change()
    undone = 0
    for _, at in p.kills():
        p.save("killed")
        readable(p)
        journals = p.open_journals()
        # the next changing command is another one, which recovers before it finds that it has nothing to do
        ends(p, f"{at}, then another command", "flow", "delete", pf, "no-such-rule")
        settled(p)

        p.back("killed")
        ends(p, f"{at}, then again", *p.change, state=p.new)
        settled(p)

        # the operator's way out, where a change is open
        if not journals:
            continue
        p.back("killed")
        ends(p, f"{at}, then undone", "journal", "undo", journals[0], state=p.old)
        settled(p)
        p.back("killed")
        ends(p, f"{at}, then resumed", "journal", "resume", journals[0], state=p.new)
        settled(p)
        undone += 1
    print(f"{p.name}: {p.calls} points; at {undone} of them a change is open, undone and resumed")
    ended_by_signal(p, settled)
    print(f"{p.name}: {p.calls} points of a signal")


def again_at_every_point(p, first=""):
    """What no other command has to recover is done when the command is given again; "either": it was done or not."""
    p.begin()
    for _, at in p.kills():
        readable(p)
        if first == "either":
            p.either()
        ends(p, f"{at}, then again", *p.change, state=p.new)
    print(f"{p.name}: {p.calls} points")


def tune(p):
    """What was left half done is undone by the next tuning, of whichever guest."""
    p.begin()
    p.must_change()
    for _, at in p.kills():
        p.save("killed")
        readable(p)
        ends(p, f"{at}, then another's tuning", "guest", "tune", "other1", "--node", "0", "--apply")
        p.equal("records", ["0"], p.query("SELECT count(*) FROM tuning"))
        p.back("killed")
        ends(p, f"{at}, then again", *p.change, state=p.new)
    print(f"{p.name}: {p.calls} points, every {p.stride} taken")


def probe(p, pf):
    """A probe is undone wherever it is killed, also where all that it put there stands; resuming is undoing too."""
    p.begin()
    p.at = f"{p.name} changes nothing"
    p.same(p.old, p.new)
    resumed = 0
    for n, at in p.kills():
        readable(p)
        journals = p.open_journals()
        if journals and n % 2:
            ends(p, f"{at}, then resumed", "journal", "resume", journals[0], state=p.old)
            resumed += 1
        else:
            ends(p, f"{at}, then another command", "flow", "delete", pf, "no-such-rule", state=p.old)
        p.equal("what was committed", [], p.query(
            "SELECT id FROM journal WHERE status != 'undone' AND command LIKE '%probe%'"))
    print(f"{p.name}: {p.calls} points, every {p.stride} taken; at {resumed} of them resumed")
    for _ in p.signals(p.stride * 3):
        p.same(p.old, p.now())
        if p.last.status in (0, 1, 4):
            p.passed()
        else:
            p.fail(f"status {p.last.status}")


def parts(p):
    """A change of two PFs, ens1f0 and ens2f0: its parts are of one generation and end together. What comes after a kill
    is taken in turn."""
    p.begin()
    p.must_change()
    opened = 0
    for n, at in p.kills():
        p.save("killed")
        p.must("host", "show", "--json")
        if p.has_database():
            whole(p)
            generations = p.query("SELECT DISTINCT generation FROM journal WHERE status = 'open'")
            p.equal("open generations but one", [], generations[1:])
        journals = p.open_journals()
        turn = n // p.stride
        ends(p, f"{at}, then another command", "flow", "delete", "ens1f0" if turn % 2 else "ens2f0", "no-such-rule")
        settled_generation(p)

        p.back("killed")
        if not journals or turn % 3 == 0:
            ends(p, f"{at}, then again", *p.change, state=p.new)
        elif turn % 3 == 1:
            ends(p, f"{at}, then undone", "journal", "undo", journals[-1], state=p.old)
            opened += 1
        else:
            ends(p, f"{at}, then resumed", "journal", "resume", journals[0], state=p.new)
            opened += 1
        settled_generation(p)
    print(f"{p.name}: {p.calls} points, every {p.stride} taken; "
          f"at {opened} of them its parts are open, undone or resumed")
    ended_by_signal(p, settled_generation)
    print(f"{p.name}: {p.calls} points of a signal, every {p.stride} taken")


def unconfirmed(p):
    """Between an unconfirmed generation and its end nobody but the watcher does anything."""
    # confirmed in time, however slow the machine is
    change, p.change = p.change, [*p.change[:-1], "60"]
    p.begin("confirm")
    p.change = change
    p.must_change()
    for _ in p.kills():
        for _ in range(600):
            if not p.query("SELECT id FROM generation WHERE status IN ('open', 'unconfirmed')"):
                break
            time.sleep(0.1)
        let_land(p)
        p.same(p.old, p.now())
    print(f"{p.name}: {p.calls} points, every {p.stride} taken")


def let_land(p):
    """As harness.sh has it: simulated time passes, and what was pending lands."""
    file = p.file()
    sim = file.setdefault("sim", {})
    sim["clock_ms"] = sim.get("clock_ms", 0) + 60000
    # a read that is counted writes what landed
    sim["count_reads"] = True
    with open(f"{p.work}/edited", "w", encoding="utf-8") as edited:
        json.dump(file, edited)
    os.replace(f"{p.work}/edited", p.host)
    p.must("vf", "list")


def hook(p, after, *then):
    """An operation of libvirt's hook, killed: after what libvirt does then, all is as `after` says; also where another
    command comes before that."""
    p.begin()
    for _, at in p.kills():
        p.save("killed")
        for other in (), ("flow", "delete", "ens2f0", "no-such-rule"):
            p.back("killed")
            if other:
                at = f"{at}, then {' '.join(other)}"
                p.at = at
                p.expect(*other)
                settled(p)
            p.at = f"{at}, then {' '.join(then)}"
            for operation in then:
                p.must(*p.change[:-3], operation, *p.change[-2:], stdin=p.stdin)
            p.same(after, p.now())
            settled(p)
    print(f"{p.name}: {p.calls} points")


KINDS = {kind.__name__: kind for kind in (
    look, state, every_point, again_at_every_point, tune, probe, parts, unconfirmed, hook)}


def main():
    split = sys.argv.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", required=True, help="the folder of the host, of killat.so and of what is written")
    parser.add_argument("--tool", required=True)
    parser.add_argument("--script", required=True, help="who asks, for what is told")
    parser.add_argument("--look", dest="looks", action="append", required=True, help="what is looked at")
    parser.add_argument("--unsteady", action="append", required=True, help="a field of the host that may differ")
    parser.add_argument("--stride", type=int, default=1, help="one in so many points is taken,")
    parser.add_argument("--first", type=int, default=1, help="from this one on")
    parser.add_argument("--stdin", default=os.devnull, help="what the command reads")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("name")
    parser.add_argument("arguments", nargs="*")
    given = parser.parse_args(sys.argv[1:split])
    sys.stdout.reconfigure(line_buffering=True)
    p = Points(given, sys.argv[split + 1:])
    try:
        KINDS[given.kind](p, *given.arguments)
    except Exception as error:
        p.fail(repr(error))
        raise
    with open(f"{p.work}/tally", "w", encoding="ascii") as tally:
        print(p.checks, p.failures, file=tally)


main()
