# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From events to figures, and from figures to the table of goals. Pure but for score(), which runs
the scorer that comes with the footage.
"""
import json
import pathlib
import statistics
import sys
import tempfile

from bench_run import run

MERGE_GAP_S = 5.0  # the scorer's rule: events less than this apart are one


def merge(events, gap_s=MERGE_GAP_S):
    """Events in order of time, those less than gap_s apart as one."""
    merged = []
    for start, end in sorted(events):
        if merged and start - merged[-1][1] < gap_s:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def within(events, offset_s, length_s):
    """What of these events lies in one play of a clip, on that play's own clock."""
    cut = [(max(start - offset_s, 0.0), min(end - offset_s, length_s)) for start, end in events]
    return [(start, end) for start, end in cut if end >= 0 and start <= length_s and start <= end]


def score(scorer, labels, events_of_clip):
    """The scorer's JSON ("total" and "clips") for {clip: [(start_s, end_s)]} of not yet merged events."""
    with tempfile.TemporaryDirectory(prefix="gridwatch-bench.") as folder:
        for clip, events in events_of_clip.items():
            lines = [json.dumps({"clip": clip, "start_s": start, "end_s": end}) + "\n" for start, end in merge(events)]
            pathlib.Path(folder, f"{clip}.jsonl").write_text("".join(lines), encoding="utf-8")
        only = ",".join(events_of_clip)
        return json.loads(run([sys.executable, scorer, labels, folder, "--json", "--only", only]).text)


def percentile(values, share):
    """Linear between ranks; None of nothing."""
    if not values:
        return None
    values = sorted(values)
    rank = (len(values) - 1) * share
    low = int(rank)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (rank - low)


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def mean(values):
    values = [value for value in values if value is not None]
    return statistics.fmean(values) if values else None


def ratio(part, whole):
    return part / whole if part is not None and whole else None


def lost_recall(full, other):
    """How much less of the active intervals `other` found; the scorer's figures of both."""
    if not full.get("intervals"):
        return None
    return (full["detected"] - other["detected"]) / full["intervals"]


# What the analysis is meant to reach: key, words, "least" or "most", limit, decimals.
GOALS = [
    ("recall", "recall, full", "least", 0.97, 3),
    ("time_recall", "time recall, full", "least", 0.88, 3),
    ("quiet", "share of quiet time covered, full", "most", 0.05, 3),
    ("balanced", "balanced, full", "least", 0.95, 3),
    ("false_events", "false events, full", "most", 2, 0),
    ("lat_median", "latency of the start, median s, full", "most", 0.3, 2),
    ("lat_p90", "latency of the start, p90 s, full", "most", 1.0, 2),
    ("last_recall", "recall, full, last of four plays", "least", 0.97, 3),
    ("last_time_recall", "time recall, full, last play", "least", 0.88, 3),
    ("last_quiet", "share of quiet time covered, full, last play", "most", 0.05, 3),
    ("last_balanced", "balanced, full, last play", "least", 0.95, 3),
    ("last_false_events", "false events, full, last play", "most", 2, 0),
    ("auto_loss", "recall that auto loses, last play", "most", 0.01, 3),
    ("auto_cpu", "CPU auto / full, last play, median of clips", "most", 0.5, 3),
    ("quiet_vbr_cpu", "quiet 1080p25 VBR: CPU auto / bare decoding", "most", 0.12, 3),
    ("quiet_vbr_cpu_later", "the same, after the first 60 s", "most", 0.12, 3),
    ("fifth_cpu", "moving a fifth of the time: CPU auto / bare", "most", 0.35, 3),
    ("fifth_loss", "the same: recall that auto loses", "most", 0.0, 3),
    ("quiet_cbr_cpu", "quiet 1080p25 hard CBR: CPU auto / bare", "most", 0.40, 3),
    ("cbr_loss", "CBR, 12 events: recall that auto loses", "most", 0.0, 3),
    ("own_ms", "analysis proper per 1080p picture, ms", "most", 0.25, 3),
    ("own_share", "analysis proper / decoding, 1080p", "most", 0.08, 3),
    ("own_mib", "memory of analysis per camera, MiB", "most", 4.0, 1),
]


def judge(measured, goals=None):
    """Rows of the table of goals for {key: value}; what was not measured has neither holds nor falls short."""
    rows = []
    for key, words, sense, limit, decimals in goals or GOALS:
        value = measured.get(key)
        holds = None
        if value is not None:
            # As printed: nobody understands a table in which 0.050 is more than 0.05.
            shown = round(value, decimals)
            holds = shown >= limit if sense == "least" else shown <= limit
        rows.append({"key": key, "goal": words, "sense": sense, "limit": limit, "decimals": decimals,
                     "measured": value, "holds": holds})
    return rows


def table(rows):
    """The table of goals as lines of text."""
    width = max(len(row["goal"]) for row in rows)
    lines = [f"{'goal':{width}}  {'limit':>8}  {'measured':>8}"]
    for row in rows:
        limit = f"{'>=' if row['sense'] == 'least' else '<='} {row['limit']:g}"
        value = "-" if row["measured"] is None else f"{row['measured']:.{row['decimals']}f}"
        verdict = {True: "holds", False: "falls short", None: "not measured"}[row["holds"]]
        lines.append(f"{row['goal']:{width}}  {limit:>8}  {value:>8}  {verdict}")
    return lines
