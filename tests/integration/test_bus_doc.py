# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The subscriber that docs/ref/bus.md shows is run as it stands there."""
import os
import re
import subprocess
import sys

from gridwatch_site import BINARY

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUS_HOST = os.path.join(os.path.dirname(BINARY), "..", "tests", "integration", "bus_host")


def documented_program():
    with open(os.path.join(ROOT, "docs/ref/bus.md"), encoding="utf-8") as file:
        programs = re.findall(r"```python\n(.*?)```", file.read(), re.S)
    assert len(programs) == 1
    return programs[0]


def test_the_documented_subscriber_is_twenty_lines():
    lines = [line for line in documented_program().splitlines() if line.strip()]
    assert len(lines) <= 20


def test_the_documented_subscriber_prints_the_alerts_of_its_county_in_order(tmp_path):
    program = tmp_path / "subscriber.py"
    program.write_text(documented_program(), encoding="utf-8")
    host = subprocess.Popen([BUS_HOST], stdout=subprocess.PIPE, text=True)
    try:
        endpoint = host.stdout.readline().strip()
        subscriber = subprocess.Popen([sys.executable, program, endpoint], stdout=subprocess.PIPE, text=True)
        try:
            lines = [subscriber.stdout.readline().split() for _ in range(5)]
        finally:
            subscriber.kill()
            subscriber.communicate()
    finally:
        host.kill()
        host.communicate()
    numbers = [int(line[0]) for line in lines]
    assert numbers == list(range(numbers[0], numbers[0] + 15, 3)), "every third fact is such an alert"
    for line in lines:
        assert line[1:4] == ["alert/640323101004/gate-07", "gridwatch.alert.raised", "2026-05-04T03:02:01.120000Z"]
