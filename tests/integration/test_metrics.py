# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""/metrics of a whole site: as Prometheus reads it, and as docs/ref/metrics.md lists it."""
import re

import pytest

from gridwatch_site import wait_for
from rtsp_camera import ROOT

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (-?[0-9.e+-]+)')


@pytest.fixture
def text(site):
    site.add_camera("gate", "rtsp://127.0.0.1:9/nobody")

    def with_camera():
        _, headers, body = site.request("/metrics")
        assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return body.decode() if b'camera_reconnects_total{camera="gate"}' in body else None
    return wait_for("metrics of the camera", with_camera, 15)


def read(text):
    """(type of each metric, all samples); fails where Prometheus or promtool would complain."""
    types, helped, samples, family = {}, set(), {}, None
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family, words = line[7:].split(" ", 1)
            assert family not in helped and words.endswith("."), line
            helped.add(family)
        elif line.startswith("# TYPE "):
            name, types[family] = line[7:].split(" ")
            assert name == family and types[name] in ("counter", "gauge"), line
        else:
            name, labels, value = SAMPLE.fullmatch(line).groups()
            assert name == family and family in types, f"{line}: not below its TYPE"
            assert (name, labels) not in samples, f"{line}: twice"
            samples[name, labels] = float(value)
    return types, samples


def test_prometheus_can_read_every_line(text):
    types, samples = read(text)
    for name, kind in types.items():
        assert name.startswith("gridwatch_")
        assert name.endswith("_total") == (kind == "counter"), name
        assert not re.search("_(us|ms|kb|mb|percent|count)(_|$)", name), f"{name}: not a base unit"
    assert samples["gridwatch_camera_online", 'camera="gate"'] == 0
    assert all(value >= 0 for (name, _), value in samples.items() if types[name] == "counter")


def test_the_reference_lists_exactly_what_there_is(text):
    types, _ = read(text)
    page = (ROOT / "docs/ref/metrics.md").read_text()
    assert dict(re.findall(r"^\| `(\w+)(?:\{\w+\})?` \| (\w+) \|", page, re.M)) == types
