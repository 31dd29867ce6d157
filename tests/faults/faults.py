# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of a whole site: disks that are small, fail or lose power, and what must hold afterwards.

The ledger outside of the program is what the camera says that it sent (tests/camera) and what a bus
subscriber received; judge() compares both with the index and the files.
"""
import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import threading
import time

import pytest

from gridwatch_site import BINARY, Subscriber, wait_for
from ledger_judge import SECOND, some, usable
from numbered_film import FPS, read_clip

LONG = os.environ.get("GRIDWATCH_FAULTS") == "all"
BUILD = pathlib.Path(BINARY).resolve().parents[1] / "tests/faults"

# --- disks ---------------------------------------------------------------------------------------


def mount(opened, kind, options, source, folder):
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", kind, "-o", options, str(source), str(folder)], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine lets us mount no {kind}: {done.stderr.strip()}")
    opened.callback(subprocess.run, ["umount", "-l", str(folder)], check=False, capture_output=True)
    return folder


def memory_disk(opened, folder, options):
    """So much memory as a file system at that folder; skips where that is not allowed."""
    return mount(opened, "tmpfs", options, "tmpfs", folder)


def fill(path):
    """A file that takes all the room there is."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            while True:
                try:
                    file.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC, error
                    break


class PowerDisk:
    """An ext4 in a file, whose power can be cut: what was not synced is gone."""

    SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2  # EXT4_IOC_SHUTDOWN

    def __init__(self, opened, folder, megabytes=96):
        self.opened, self.folder = opened, folder
        handle, name = tempfile.mkstemp(prefix="gridwatch-disk.")
        os.close(handle)
        self.image = pathlib.Path(name)
        opened.callback(self.image.unlink)
        os.truncate(self.image, megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self.image)], check=True)
        mount(opened, "ext4", "loop", self.image, folder)

    def cut(self):
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, self.SHUTDOWN, struct.pack("I", self.NO_LOG_FLUSH))
        except OSError as error:
            pytest.skip(f"this kernel cannot cut the power of an ext4: {error}")
        finally:
            os.close(handle)

    def restore(self):
        """The power is back. Who had files open there was killed, which may take a moment."""
        wait_for("nobody there", lambda: subprocess.run(["umount", str(self.folder)], check=False,
                                                        capture_output=True).returncode == 0, 20)
        subprocess.run(["mount", "-t", "ext4", "-o", "loop", str(self.image), str(self.folder)], check=True)


# --- calls that fail -----------------------------------------------------------------------------

CLASSES = ("write", "sync", "rename", "create", "truncate", "unlink")
FAIL = 1


class FailingCalls:
    """The shim of fault_shim.h in the processes of a site, and the memory that it shares with them."""

    HEAD, PLAN, NOTE, NOTES = struct.Struct("=qii"), struct.Struct("=qqqqii32s24s"), struct.Struct("=qqiiii16s144s"), 4096

    def __init__(self, folder, root):
        self.path, self.root = pathlib.Path(folder, "faults"), root
        size = self.HEAD.size + len(CLASSES) * self.PLAN.size + self.NOTES * self.NOTE.size
        self.path.write_bytes(bytes(size))
        with open(self.path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), size)

    def environment(self):
        """For `gridwatch serve`. A sanitizer's library insists on being the first."""
        linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
        first = re.findall(r"=> (\S*lib[at]san\S*)", linked)
        return {"LD_PRELOAD": ":".join([*first, str(BUILD / "fault_shim.so")]),
                "GRIDWATCH_FAULT_STATE": str(self.path), "GRIDWATCH_FAULT_ROOT": str(self.root)}

    def note_all(self):
        struct.pack_into("=i", self.memory, 8, 1)

    def fail(self, kind, code, part="", role=""):
        """Every call of that kind fails from now on."""
        at = self.HEAD.size + CLASSES.index(kind) * self.PLAN.size
        self.PLAN.pack_into(self.memory, at, 0, 0, 0, 2**63 - 1, FAIL, code, part.encode(), role.encode())
        struct.pack_into("=q", self.memory, at + 16, 1)  # armed when the rest is there

    def heal(self):
        for number in range(len(CLASSES)):
            struct.pack_into("=q", self.memory, self.HEAD.size + number * self.PLAN.size + 16, 0)

    def hits(self, kind):
        return struct.unpack_from("=q", self.memory, self.HEAD.size + CLASSES.index(kind) * self.PLAN.size + 8)[0]

    def notes(self):
        """(kind, thread, path, mono_us) of what was noted."""
        count, = struct.unpack_from("=q", self.memory, 0)
        base, found = self.HEAD.size + len(CLASSES) * self.PLAN.size, []
        for place in range(min(count, self.NOTES)):
            mono_us, _, _, kind, _, _, thread, path = self.NOTE.unpack_from(self.memory, base + place * self.NOTE.size)
            found.append((CLASSES[kind], ctypes.create_string_buffer(thread).value.decode(),
                          ctypes.create_string_buffer(path).value.decode(), mono_us))
        return found


# --- what was acknowledged -----------------------------------------------------------------------


class Acknowledged:
    """What bus subscribers have received since the first follow(), over all restarts."""

    def __init__(self):
        self.messages, self.subscribers = [], []
        self.lock, self.stopping = threading.Lock(), threading.Event()
        threading.Thread(target=self.receive, daemon=True).start()

    def follow(self, site):
        with self.lock:
            self.subscribers.append(Subscriber(site.addresses["bus"], "event/", "camera/"))

    def receive(self):
        while not self.stopping.is_set():
            with self.lock:
                self.take()
            time.sleep(0.02)

    def take(self):
        for subscriber in self.subscribers:
            while message := subscriber.receive(0):
                self.messages.append(message)

    @contextlib.contextmanager
    def deaf(self):
        """Nothing that comes meanwhile was said by a machine with power; its subscribers end with it."""
        with self.lock:
            self.take()
            yield
            for subscriber in self.subscribers:
                subscriber.close()
            self.subscribers.clear()

    def of_kind(self, *endings):
        with self.lock:
            return [message for message in self.messages if message.kind.endswith(endings)]

    def close(self):
        self.stopping.set()
        with self.lock:
            for subscriber in self.subscribers:
                subscriber.close()


# --- the judgement -------------------------------------------------------------------------------


def everything(site, what):
    """All items of a list of the API, over its pages."""
    items, cursor = [], ""
    while True:
        page = site.get(f"/{what}?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
        items += page["items"]
        cursor = page["next"]
        if not cursor:
            return items


def judge_acknowledged(told, clips, events):
    """Each of these facts, which a subscriber had before the rows were asked for, is true of exactly one row."""
    complaints = []
    for rows, what in (clips, "clip"), (events, "event"):
        ids = [row["id"] for row in rows]
        if len(ids) != len(set(ids)):
            complaints.append(f"a {what} is there twice")
        by_id = {row["id"]: row for row in rows}
        for message in told:
            if not message.kind.endswith((f"{what}.opened", f"{what}.closed")):
                continue
            row = by_id.get(message.data["id"])
            if not row:
                complaints.append(f"{message.kind} was acknowledged, and {message.data['id']} is not there")
            elif row["start_us"] != message.data["start_us"]:
                complaints.append(f"{what} {row['id']} begins at another time")
            elif message.kind.endswith("clip.closed") and any(
                    row[name] != message.data[name] for name in ("state", "frames", "size_bytes", "end_us")):
                complaints.append(f"clip {row['id']} is not what was acknowledged: {row}, {message.data}")
    return complaints


def media_files(site):
    return {path for path in (site.store / "media").rglob("*") if path.is_file()}


def judge_files(site, clips, events, before, stray):
    """Index and files agree both ways. before: the files that were there before the rows. Returns
    (complaints, {clip id: its pictures})."""
    complaints, pictures, kept = [], {}, []
    files = media_files(site)
    for clip in clips:
        found = [path for path in files if clip["id"] in path.name]
        if clip["state"] == "lost":
            kept += found  # it could not be removed
            continue
        if len(found) != 1:
            complaints.append(f"clip {clip['id']} ({clip['state']}) has {len(found)} files")
            continue
        if clip["state"] == "recording":
            continue
        size = found[0].stat().st_size
        if size < clip["size_bytes"] or (size > clip["size_bytes"] and not clip["truncated"]):
            complaints.append(f"{found[0].name} has {size} bytes instead of {clip['size_bytes']}")
        pictures[clip["id"]] = read_clip(found[0])
        if len(pictures[clip["id"]]) != clip["frames"]:
            complaints.append(f"{found[0].name} has {len(pictures[clip['id']])} pictures instead of {clip['frames']}")
    for event in events:
        if event.get("snapshot_us") is not None:
            found = [path for path in files if event["id"] in path.name]
            if len([path for path in found if path.suffix == ".jpg"]) != 2:
                complaints.append(f"event {event['id']} promises a snapshot and has {found}")
    known = {row["id"] for row in [*clips, *events]}
    strays = kept + [path.name for path in before if not any(id_ in path.name for id_ in known)]
    if len(strays) > stray:
        complaints.append(f"{len(strays)} files that the index does not know, {stray} may be: {strays[:5]}")
    return complaints, pictures


def judge_pictures(pictures, gaps, sent, until_us):
    """What the camera sent is in one clip, or its time is said to be missing, and not both."""
    numbers = [picture.number for clip in pictures.values() for picture in clip]
    complaints = []
    if len(numbers) != len(set(numbers)):
        complaints.append(f"recorded twice: {some(sorted({n for n in numbers if numbers.count(n) > 1}))}")
    recorded = set(numbers)
    late_us = [each.sent_us - each.capture_us for each in sent]

    def missing(place, inside):
        """Whether picture number `place` of the ledger lies in a gap; inside: not near its borders. Capture times
        follow arrival, so a camera that was late, on a busy machine, moves them."""
        slack_us = inside * (3 * SECOND / FPS + 2 * max(late_us[max(0, place - 20):place + 20]))
        return any(gap["from_us"] + slack_us <= sent[place].capture_us and (
            gap["state"] == "open" or sent[place].capture_us < gap["to_us"] - slack_us) for gap in gaps)

    def shown(places):
        return some(f"{sent[place].number} ({late_us[place] / SECOND:.2f} s late)" for place in places)
    can_be = {each.number for each in usable(sent) if each.sent_us < until_us}
    silent = [place for place, each in enumerate(sent) if each.number in can_be - recorded and not missing(place, -1)]
    falsely = [place for place, each in enumerate(sent) if each.number in recorded and missing(place, 1)]
    if silent:
        complaints.append(f"neither in a clip nor in a gap: {shown(silent)}")
    if falsely:
        complaints.append(f"in a clip and in a gap: {shown(falsely)}")
    return complaints


def judge(site, camera, acknowledged, stray=0):
    """All complaints, in words. The site runs, and its camera goes on; what a clip that still grows holds is not
    looked at."""
    # What becomes known after the rows were asked for is not looked at.
    told, files = acknowledged.of_kind(".opened", ".closed"), media_files(site)
    clips, events, gaps = (everything(site, what) for what in ("clips", "events", "gaps"))
    growing = [clip["start_us"] for clip in clips if clip["state"] == "recording"]
    until_us = min(growing, default=time.time_ns() // 1000) - SECOND // 2
    complaints, pictures = judge_files(site, clips, events, files, stray)
    return complaints + judge_acknowledged(told, clips, events) + judge_pictures(
        pictures, gaps, list(camera.ledger), until_us)
