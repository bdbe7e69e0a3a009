# SPDX-License-Identifier: Apache-2.0
"""A command that is killed at one of its calls that change something (killat.c), the simulated host before and after it, and
checks.
"""
import collections
import difflib
import glob
import json
import os
import re
import shutil
import sqlite3
import subprocess

from looks import LOOKS

Run = collections.namedtuple("Run", "command status out err")


class Points:
    """The points of a command: it, the state that it starts from, and the checks on what is left of it."""

    def __init__(self, given, change):
        self.name, self.change, self.stride, self.first = given.name, change, given.stride, given.first
        self.tool, self.work, self.script, self.stdin = given.tool, given.work, given.script, given.stdin
        self.looks = given.looks
        self.unsteady = re.compile(rf'"({"|".join(given.unsteady)})"')
        self.host = f"{self.work}/host.json"
        self.checks = self.failures = self.calls = 0
        self.old = self.new = self.state = ""
        # the last command that a check is about
        self.last = None
        # what the checks speak of
        self.at = self.name

    # ---- checks, as harness.sh has them ----

    def passed(self):
        self.checks += 1

    def fail(self, what, difference=()):
        self.checks += 1
        self.failures += 1
        print(f"FAILED {self.script}: {self.at}: {what}")
        if self.last:
            print(f"  last command: sriovctl {self.last.command} (status {self.last.status})")
            for sign, text in (("out", self.last.out), ("err", self.last.err)):
                for line in text.splitlines()[:40]:
                    print(f"  {sign}| {line}")
        for line in list(difference)[:40]:
            print(f"  | {line}")

    def equal(self, what, expected, found):
        if expected == found:
            self.passed()
        else:
            self.fail(f"{what}: expected {expected!r}, found {found!r}")

    def same(self, expected, found):
        """The state, a long text, of which the difference is told."""
        if expected == found:
            self.passed()
        else:
            self.fail("another state than expected", difference("expected", expected, found))

    def either(self):
        """The host is in the old state or in the new one; keeps which."""
        found = self.now()
        self.state = {self.old: "old", self.new: "new"}.get(found, "neither")
        if self.state == "neither":
            self.fail("neither the old state nor the new one",
                      difference("old", self.old, found) + difference("new", self.new, found))
        else:
            self.passed()

    # ---- commands ----

    def run(self, *words, stdin=os.devnull, **variables):
        # files, not pipes: what a command leaves running holds them open
        with open(stdin, "rb") as given, open(f"{self.work}/out", "w+b") as out, open(f"{self.work}/err", "w+b") as err:
            # no descriptor of ours is inherited anyhow, and looking for them costs
            status = subprocess.call((self.tool, *words), stdin=given, stdout=out, stderr=err, close_fds=False,
                                     env={**os.environ, **variables})
            out.seek(0)
            err.seek(0)
            told = [kept.read().decode(errors="replace") for kept in (out, err)]
        command = " ".join((*words, *(f"({name}={value})" for name, value in variables.items())))
        return Run(command, status if status >= 0 else 128 - status, *told)

    def expect(self, *words):
        self.last = self.run(*words)
        self.equal("status", 0, self.last.status)

    def must(self, *words, stdin=os.devnull):
        """What a command says that is no check of its own, but where it fails."""
        run = self.run(*words, stdin=stdin)
        if run.status:
            self.last = run
            self.fail("it fails")
        return run.out

    def run_change(self, variable, value):
        """The command, with a variable that tests/faults/killat.c knows."""
        self.last = self.run(*self.change, stdin=self.stdin,
                             **{"LD_PRELOAD": f"{self.work}/killat.so", variable: str(value)})

    # ---- states ----

    def save(self, name):
        """The host as it is, with its folder and what a killed writer left, saved under a name."""
        shutil.rmtree(f"{self.work}/{name}", ignore_errors=True)
        os.mkdir(f"{self.work}/{name}")
        for path in glob.glob(f"{self.host}*"):
            copy(path, f"{self.work}/{name}")

    def back(self, name):
        for path in glob.glob(f"{self.host}*"):
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        for path in glob.glob(f"{self.work}/{name}/*"):
            copy(path, self.work)

    def has_database(self):
        """A command may have been killed before it made one."""
        return os.path.exists(f"{self.host}.state/state.db")

    def query(self, statement):
        """Rows of the host's database, which it leaves as it is (a writer would tidy up after a kill)."""
        if not self.has_database():
            return []
        database = sqlite3.connect(f"file:{self.host}.state/state.db?mode=ro", uri=True)
        try:
            return ["|".join(map(str, row)) for row in database.execute(statement)]
        except sqlite3.Error as error:
            # or before it made its tables
            if "no such table" not in str(error):
                self.fail(f"{statement}: {error}")
            return []
        finally:
            database.close()

    def file(self):
        with open(self.host, encoding="utf-8") as host:
            return json.load(host)

    def open_journals(self):
        return self.query("SELECT id FROM journal WHERE status = 'open' ORDER BY id")

    def now(self):
        """The state: what each look finds."""
        return "\n".join(LOOKS[look](self) if look in LOOKS else self.must(*look.split()) for look in self.looks)

    # ---- the points ----

    def begin(self, *after):
        """Keeps the state, runs the command to its end (and another one after it), and counts its calls."""
        self.save("kept")
        self.old = self.now()
        self.run_change("KILLAT_COUNT", f"{self.work}/calls")
        if self.last.status:
            self.fail("it fails")
        with open(f"{self.work}/calls", encoding="ascii") as calls:
            self.calls = int(calls.read())
        if after:
            self.expect(*after)
        self.new = self.now()

    def must_change(self):
        if self.old == self.new:
            self.fail("it changes nothing")

    def kills(self):
        """Kills the command at each stride'th call; gives the call and what to call it. A kind that lets several things
        come after a kill saves what is left: the same kill in the same state need not be made again."""
        for n in range(self.first, self.calls + 1, self.stride):
            at = self.at = f"{self.name}, killed at call {n} of {self.calls}"
            self.back("kept")
            self.run_change("KILLAT", n)
            self.equal("status", 137, self.last.status)
            yield n, at
        self.back("kept")

    def signals(self, stride):
        """The same with a signal, of which nothing is expected yet."""
        for n in range(self.first, self.calls + 1, stride):
            self.at = f"{self.name}, SIGTERM at call {n} of {self.calls}"
            self.back("kept")
            self.run_change("KILLAT_SIGNAL", n)
            yield
        self.back("kept")


def copy(path, folder):
    place = os.path.join(folder, os.path.basename(path))
    if os.path.isdir(path):
        shutil.copytree(path, place)
    else:
        shutil.copy2(path, place)


def difference(name, expected, found):
    return list(difflib.unified_diff(expected.splitlines(), found.splitlines(), name, "found", lineterm=""))
