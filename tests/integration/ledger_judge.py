# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site made of a camera, against what the camera's ledger says it sent. Plain functions of plain
values: each returns the complaints it has, in words, none when all is right."""
import re
from dataclasses import dataclass

from numbered_film import FPS

SECOND = 1_000_000
FRAME_US = SECOND // FPS


def usable(ledger):
    """The pictures that can be recorded: complete, and behind a keyframe with nothing missing between."""
    waiting, found = {}, []
    for sent in sorted((sent for sent in ledger if not sent.stray), key=lambda sent: sent.number):
        if not sent.complete:
            waiting[sent.connection] = True
        elif sent.key:
            waiting[sent.connection] = False
        if not waiting.get(sent.connection, True):
            found.append(sent)
    return found


def stretches(ledger, until_us, frame_us=FRAME_US):
    """Usable pictures, cut where one between was not usable, none was taken for a while, or another
    connection goes on: lists of Sent."""
    cut = []
    for sent in usable(ledger):
        if sent.sent_us > until_us:
            break
        last = cut[-1][-1] if cut else None
        # One that others are made of is taken some pictures later than the one sent before it.
        follows = last and sent.number == last.number + 1 and sent.connection == last.connection and (
            sent.capture_us - max(each.capture_us for each in cut[-1][-4:]) < 4.5 * frame_us)
        if not follows:
            cut.append([])
        cut[-1].append(sent)
    return cut


def without_begin(clips, ledger, row):
    """The clips without what they have of the first `begins_s` seconds."""
    begin_us = min(sent.capture_us for sent in ledger) + row.begins_s * SECOND
    kept = [[picture for picture in clip if picture.pts_us >= begin_us] for clip in clips] if row.begins_s else clips
    return [clip for clip in kept if clip]


def some(numbers):
    """A few numbers, for people."""
    numbers = list(numbers)
    return ", ".join(map(str, numbers[:8])) + (f", … ({len(numbers)})" if len(numbers) > 8 else "")


def of_clip(clip):
    return f"in the clip that begins with {clip[0].number}"


def judge_numbers(clips, ledger, row, until_us):
    """clips: lists of Recorded, in the order of their starts. Exactly the usable pictures, once, in order."""
    recorded = [picture.number for clip in clips for picture in clip]
    expected = usable(ledger)
    begin_us = min((sent.sent_us for sent in expected), default=0) + row.begins_s * SECOND
    must = {sent.number for sent in expected if begin_us <= sent.sent_us < until_us}
    may = {sent.number for sent in expected}
    complaints = []
    if None in recorded:
        complaints.append(f"{recorded.count(None)} pictures without a number")
    recorded = [number for number in recorded if number is not None]
    if recorded != sorted(set(recorded)):
        twice = sorted({number for number in recorded if recorded.count(number) > 1})
        complaints.append(f"out of order, or twice: {some(twice)}")
    if missing := sorted(must - set(recorded)):
        complaints.append(f"{len(missing)} of {len(must)} pictures are missing: {some(missing)}")
    if foreign := sorted(set(recorded) - may):
        complaints.append(f"recorded what is not usable: {some(foreign)}")
    return complaints


def lateness_us(ledger, row):
    """By how much the camera itself was late at most, on a busy machine: arrival tells no better."""
    return max((sent.sent_us - sent.capture_us for sent in ledger), default=0) if row.by_arrival else 0


# A hundred cameras begin at once, and what is late then is put right by and by.
STARTING_US, STARTING_WITHIN_US = 18 * SECOND, 350_000


def judge_times(clips, ledger, row):
    """Decoding times increase; capture times are those of the ledger, and so are the durations."""
    taken = {sent.number: sent.capture_us for sent in ledger}
    begin_us = min(sent.sent_us for sent in ledger) + row.settles_s * SECOND
    late_us = lateness_us(ledger, row)
    complaints = []
    for clip in clips:
        if any(later.dts_us <= before.dts_us for before, later in zip(clip, clip[1:])):
            complaints.append(f"decoding times do not increase {of_clip(clip)}")
        settled = sorted((picture.pts_us, taken[picture.number]) for picture in clip
                         if picture.number in taken and taken[picture.number] >= begin_us)
        for starting in True, False:
            within_us = max(row.within_s * SECOND, STARTING_WITHIN_US) if starting else row.within_s * SECOND
            off = [pts_us - taken_us - row.ahead_s * SECOND for pts_us, taken_us in settled
                   if (taken_us < begin_us + STARTING_US) == starting]
            if off and (min(off) < -within_us or max(off) > within_us + late_us):
                complaints.append(f"captured {min(off) / SECOND:+.3f} to {max(off) / SECOND:+.3f} s off {of_clip(clip)}")
        uneven = [(b[0] - a[0]) - (b[1] - a[1]) for a, b in zip(settled, settled[1:])]
        if uneven and max(map(abs, uneven)) > row.uneven_s * SECOND:
            complaints.append(f"durations are up to {max(map(abs, uneven)) / SECOND:.3f} s off {of_clip(clip)}")
    return complaints


def judge_films(clips, ledger):
    """A clip has pictures of one film: other parameter sets begin another clip."""
    film = {sent.number: sent.film for sent in ledger}
    mixed = [clip[0].number for clip in clips if len({film.get(picture.number) for picture in clip}) > 1]
    return [f"parameter sets change within the clips that begin with {some(mixed)}"] if mixed else []


@dataclass
class Hole:
    """An interval without pictures, as the ledger implies it; to_us None: it lasts."""
    from_us: int
    to_us: int
    certain: bool = True  # False: it had just begun, or is too short to be sure


def holes(ledger, until_us, frame_us=FRAME_US):
    """All that the ledger implies, without the one before the first picture. Pauses of less than half a
    second in one connection are none."""
    cut = stretches(ledger, until_us, frame_us)
    found = [Hole(max(sent.capture_us for sent in before[-4:]) + frame_us, after[0].capture_us)
             for before, after in zip(cut, cut[1:])]
    for hole in found:
        hole.certain = hole.to_us - hole.from_us > frame_us
    if cut and until_us > cut[-1][-1].sent_us:  # the session may just have ended
        found.append(Hole(cut[-1][-1].capture_us + frame_us, None, until_us - cut[-1][-1].sent_us > 2 * SECOND))
    return found


def seconds(us, base_us):
    return "now" if us is None else f"{(us - base_us) / SECOND:.2f}"


def judge_gaps(gaps, ledger, row, added_us, until_us):
    """gaps: items of the API. Exactly those that the ledger implies, and one before the first picture at most."""
    tolerance_us = row.within_s * SECOND + 150_000 + lateness_us(ledger, row)
    ahead_us = row.ahead_s * SECOND
    gaps = sorted(gaps, key=lambda gap: gap["from_us"])
    empty = [gap for gap in gaps if gap["state"] == "closed" and gap["to_us"] <= gap["from_us"]]
    complaints = [f"{len(empty)} gaps have no length"] if empty else []

    def shown(gap):
        return (f"{gap['cause']} {gap['state']} {seconds(gap['from_us'], added_us)}.."
                f"{seconds(gap['to_us'] if gap['state'] == 'closed' else None, added_us)}")

    first = min((sent.capture_us for sent in usable(ledger)), default=None) if row.status != "offline" else None
    early = [gap for gap in gaps if first is None or gap["from_us"] < first + ahead_us - tolerance_us]
    rest = [gap for gap in gaps if gap not in early and not (
        row.begins_s and first and gap["from_us"] < first + row.begins_s * SECOND)]
    if first is None:
        if len(early) != 1 or early[0]["state"] != "open" or not re.fullmatch(row.cause, early[0]["cause"]):
            found = ", ".join(map(shown, early)) or "none"
            complaints.append(f"expected one open gap ({row.cause}), there are: {found}")
        elif abs(early[0]["from_us"] - added_us) > 5 * SECOND:
            complaints.append(f"a gap that does not begin when the camera was added: {shown(early[0])}")
        return complaints
    if len(early) > 1 or (not early and first - added_us > 5 * SECOND):
        complaints.append(f"expected one gap before the first picture: {', '.join(map(shown, early)) or 'none'}")
    for gap in early[:1]:
        if gap["state"] != "closed" or not -tolerance_us <= gap["to_us"] - first <= tolerance_us + ahead_us:
            complaints.append(f"the first gap should end at {seconds(first, added_us)}: {shown(gap)}")
        if not re.fullmatch(row.first_cause, gap["cause"]):
            complaints.append(f"the first gap should be {row.first_cause}: {shown(gap)}")
    wanted = holes(ledger, until_us, round(SECOND / row.fps))
    return complaints + match_gaps(rest, wanted, row, tolerance_us, added_us, shown)


def match_gaps(gaps, wanted, row, tolerance_us, added_us, shown):
    complaints, left = [], list(gaps)
    for hole in wanted:
        def fits(gap, hole=hole):
            ends = gap["state"] == "open" if hole.to_us is None else (
                gap["state"] == "closed" and abs(gap["to_us"] - hole.to_us - row.ahead_s * SECOND) <= tolerance_us)
            return ends and abs(gap["from_us"] - hole.from_us - row.ahead_s * SECOND) <= tolerance_us
        gap = next(filter(fits, left), None)
        if not gap:
            if not hole.certain:
                continue
            complaints.append(f"no gap {seconds(hole.from_us, added_us)}..{seconds(hole.to_us, added_us)}")
            continue
        left.remove(gap)
        if not re.fullmatch(row.cause, gap["cause"]):
            complaints.append(f"should be {row.cause}: {shown(gap)}")
    if left:
        complaints.append(f"gaps where nothing is missing: {', '.join(map(shown, left))}")
    return complaints
