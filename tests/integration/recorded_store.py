# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A store with recordings in it, without cameras: recorded_store.c says what was recorded when."""
import os
import pathlib
import subprocess

from gridwatch_site import BINARY

PROGRAM = os.environ.get("GRIDWATCH_RECORDED_STORE",
                         str(pathlib.Path(BINARY).parent.parent / "tests/integration/recorded_store"))
FRAME_US = 40_000
SECOND = 1_000_000


def record(store):
    """Fills a store; returns the time of its first picture."""
    done = subprocess.run([PROGRAM, str(store)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)
