# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the integration tests share: footage made once, sites and cameras that end with their test."""
import contextlib
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, *(os.path.join(HERE, "..", name) for name in ("camera", "bench", "faults"))]

import footage as footage_maker  # noqa: E402
from gridwatch_site import BINARY, Site  # noqa: E402
from numbered_film import Films  # noqa: E402
from rtsp_camera import ForeignRtspServer, RtspServer, shared_folder  # noqa: E402


@pytest.fixture(scope="session")
def footage(tmp_path_factory):
    """{"h264": path, "h265": path}: a thing moves through a still scene, again and again."""
    folder = tmp_path_factory.mktemp("footage")
    return {codec: footage_maker.make(folder / f"{codec}.mp4", codec) for codec in ("h264", "h265")}


@pytest.fixture(scope="session")
def films():
    """The numbered films, each encoded once."""
    return Films()


@pytest.fixture
def opened():
    """Closes what a test opened, the last first, also when the test fails."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def program():
    """The program under test, which must be there."""
    if not os.access(BINARY, os.X_OK):
        pytest.fail(f"{BINARY} is not built; run tests/run, or set GRIDWATCH_BINARY")
    return BINARY


@pytest.fixture
def make_site(opened, request, program):
    """make_site(options) -> Site that is not started yet."""
    def make(options=""):
        site = Site(options)
        opened.callback(site.close)
        request.node.sites = [*getattr(request.node, "sites", []), site]
        return site
    return make


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its sites said."""
    outcome = yield
    report = outcome.get_result()
    if call.when == "call" and report.failed:
        for site in getattr(item, "sites", []):
            if site.log_path.exists():
                report.sections.append((f"log of {site.store}", site.log()[-4000:]))


@pytest.fixture
def site(make_site):
    """A running site without cameras."""
    return make_site().start()


@pytest.fixture
def make_camera(opened):
    """make_camera({name: file}, ...) -> running RtspServer."""
    return lambda *args, **kwargs: opened.enter_context(RtspServer(*args, **kwargs))


@pytest.fixture
def foreign_camera(opened):
    """foreign_camera(name) -> a running RTSP server of others, playing real footage."""
    if not shared_folder():
        pytest.skip("no real footage here; set GRIDWATCH_SHARED to the folder that has it")
    return lambda name, **kwargs: opened.enter_context(ForeignRtspServer([name], **kwargs))
