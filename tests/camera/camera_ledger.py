# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a bad camera remembers: the pictures that it sent, and what it was asked."""
import time
from dataclasses import dataclass


@dataclass
class Sent:
    """One picture, as it left the camera."""
    number: int
    connection: int
    capture_us: int  # wall: when it was taken, by the true clock
    sent_us: int     # wall: when its last packet was handed to the network
    key: bool
    complete: bool   # False: packets of it are missing
    film: str
    stray: bool = False  # of the second source


@dataclass
class Asked:
    """One request."""
    connection: int
    wall_us: int
    method: str
    uri: str
    headers: dict
    door: int  # 0: the camera's own port; 1: where it redirects to


def wall_us():
    return time.time_ns() // 1000
