# SPDX-License-Identifier: Apache-2.0
"""nova.hooks entry point for nova-compute up to 21 (Ussuri); 22 and later load nothing of the kind.

setup.cfg of the package that brings it:

    [entry_points]
    nova.hooks =
        build_instance = legacy_hook:BuildInstance

At build_instance no VF is chosen yet: it logs what this host would answer, so that a build that ends in NoValidHost can
be understood. VFs, attributes and rules are libvirt's hook's, as in every other release.
"""
import logging
import subprocess

LOG = logging.getLogger(__name__)
COMMAND = ("/usr/bin/sriovctl", "pool", "show", "--json")


class BuildInstance(object):
    """Called around nova.compute.manager.ComputeManager._do_build_and_run_instance."""

    def pre(self, *args, **kwargs):
        try:
            told = subprocess.run(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=5, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            LOG.warning("sriovctl: %s", error)
            return
        level = logging.WARNING if told.returncode else logging.INFO
        LOG.log(level, "sriovctl: %s", (told.stderr or told.stdout).decode(errors="replace").strip())

    def post(self, rv, *args, **kwargs):
        pass
