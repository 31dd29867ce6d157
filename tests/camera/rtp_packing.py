# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pictures as RTP (RFC 6184, RFC 7798), the reports beside them (RFC 3550), and how both travel inside
an RTSP connection (RFC 2326, 10.12). Plain functions: bytes in, bytes out."""
import struct

NTP_EPOCH_S = 2208988800  # 1970 in seconds since 1900
RATE = 90000              # ticks of a video clock per second


def cut(codec, unit, most):
    """One NAL unit as the payloads of one or several packets."""
    if len(unit) <= most:
        return [unit]
    head = 1 if codec == "h264" else 2
    starts = range(head, len(unit), most)
    pieces = []
    for at in starts:
        flags = (0x80 if at == head else 0) | (0x40 if at == starts[-1] else 0)
        if codec == "h264":
            lead = bytes([unit[0] & 0xe0 | 28, unit[0] & 0x1f | flags])
        else:
            lead = bytes([unit[0] & 0x81 | 49 << 1, unit[1], unit[0] >> 1 & 0x3f | flags])
        pieces.append(lead + unit[at:at + most])
    return pieces


def aggregate(codec, units):
    """Several small NAL units in one payload (STAP-A, AP)."""
    lead = bytes([max(unit[0] & 0x60 for unit in units) | 24]) if codec == "h264" else bytes([48 << 1, 1])
    return lead + b"".join(struct.pack(">H", len(unit)) + unit for unit in units)


def pack(codec, units, most, aggregated=False):
    """The payloads of one picture."""
    payloads, waiting = [], []
    for unit in units:
        if aggregated and sum(map(len, waiting)) + len(unit) + 2 * len(waiting) + 4 <= most:
            waiting.append(unit)
            continue
        payloads += flush(codec, waiting)
        waiting = []
        payloads += cut(codec, unit, most)
    return payloads + flush(codec, waiting)


def flush(codec, waiting):
    return [aggregate(codec, waiting)] if len(waiting) > 1 else list(waiting)


def rtp(payload, kind, sequence, ticks, ssrc, marker):
    return struct.pack(">BBHII", 0x80, (0x80 if marker else 0) | kind, sequence & 0xffff, ticks & 0xffffffff,
                       ssrc) + payload


def sender_report(ssrc, wall_us, ticks, packets, octets):
    """The camera's word on what its clock shows at those ticks; with the source description that
    belongs to it."""
    seconds, us = divmod(wall_us, 1_000_000)
    report = struct.pack(">BBHIIIIII", 0x80, 200, 6, ssrc, seconds + NTP_EPOCH_S & 0xffffffff, (us << 32) // 1_000_000,
                         ticks & 0xffffffff, packets & 0xffffffff, octets & 0xffffffff)
    return report + struct.pack(">BBHI", 0x81, 202, 3, ssrc) + b"\x01\x03cam\0\0\0"


def goodbye(ssrc):
    return struct.pack(">BBHI", 0x81, 203, 1, ssrc)


def interleave(channel, packet):
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet
