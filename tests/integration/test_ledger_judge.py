# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judge of test_misbehaviours.py finds what is wrong and nothing else, on made-up ledgers."""
import pytest

from camera_ledger import Sent
from ledger_judge import (FRAME_US, SECOND, holes, judge_films, judge_gaps, judge_numbers, judge_times, usable,
                          without_begin)
from numbered_film import Recorded
from test_misbehaviours import Row

BEGIN_US = 1_700_000_000 * SECOND
ROW = Row("x", "y", cause="disconnected")
LATER_US = BEGIN_US + 1000 * SECOND


def sent(number, connection=0, at_us=None, complete=True, film="plain"):
    """Picture `number` of a film with a keyframe every 10."""
    taken_us = BEGIN_US + number * FRAME_US if at_us is None else at_us
    return Sent(number, connection, taken_us, taken_us + 1000, number % 10 == 0, complete, film)


def film(*ranges):
    """Pictures without a fault: (first, last, seconds by which they are later, connection)."""
    return [sent(number, connection, BEGIN_US + number * FRAME_US + round(later_s * SECOND))
            for first, last, later_s, connection in ranges for number in range(first, last)]


def clip(ledger):
    return [Recorded(each.number, each.capture_us, each.capture_us, FRAME_US, each.key) for each in ledger]


def gap(from_us, to_us, cause="disconnected"):
    return {"cause": cause, "state": "closed" if to_us else "open", "from_us": from_us, "to_us": to_us or 0}


def test_pictures_are_usable_from_a_keyframe_to_one_that_is_not_whole():
    ledger = [sent(number, complete=number != 23) for number in range(5, 40)]
    assert [each.number for each in usable(ledger)] == [*range(10, 23), *range(30, 40)]


def test_a_new_connection_needs_a_keyframe_of_its_own():
    ledger = [sent(number, connection=number >= 13) for number in range(30)]
    assert [each.number for each in usable(ledger)] == [*range(13), *range(20, 30)]


def test_a_whole_recording_has_no_complaint():
    ledger = film((0, 30, 0, 0))
    assert judge_numbers([clip(ledger[:10]), clip(ledger[10:])], ledger, ROW, LATER_US) == []
    assert judge_times([clip(ledger)], ledger, ROW) == []


@pytest.mark.parametrize("numbers, word", [
    ([*range(29)], "missing: 29"),
    ([*range(30), 29], "twice: 29"),
    ([1, 0, *range(2, 30)], "out of order"),
    ([*range(31)], "not usable: 30"),
    ([*range(30), None], "without a number"),
])
def test_what_is_missing_double_or_foreign_is_found(numbers, word):
    ledger = film((0, 30, 0, 0)) + [sent(30, complete=False)]
    pictures = [Recorded(number, 0, 0, 0, False) for number in numbers]
    complaints = judge_numbers([pictures], ledger, ROW, LATER_US)
    assert any(word in complaint for complaint in complaints), complaints


def test_what_was_sent_at_the_end_may_be_missing():
    ledger = film((0, 30, 0, 0))
    assert judge_numbers([clip(ledger[:25])], ledger, ROW, ledger[25].sent_us) == []


def test_times_that_are_off_uneven_or_not_increasing_are_found():
    ledger = film((0, 30, 0, 0))
    shifted = [picture._replace(pts_us=picture.pts_us + 400_000) for picture in clip(ledger)]
    assert "captured +0.400" in judge_times([shifted], ledger, ROW)[0]
    long = film((0, 300, 0, 0))
    late = [picture._replace(pts_us=picture.pts_us + 200_000) for picture in clip(long)]
    [complaint] = judge_times([late], long, ROW)  # allowed at the beginning only
    assert "captured +0.200" in complaint
    uneven = clip(ledger)
    uneven[5] = uneven[5]._replace(pts_us=uneven[5].pts_us + 60_000)
    assert "durations" in judge_times([uneven], ledger, ROW)[0]
    stopped = clip(ledger)
    stopped[5] = stopped[5]._replace(dts_us=stopped[4].dts_us)
    assert "do not increase" in judge_times([stopped], ledger, ROW)[0]


def test_a_clip_of_two_films_is_found():
    ledger = [sent(number, film="plain" if number < 10 else "big") for number in range(20)]
    assert judge_films([clip(ledger[:10]), clip(ledger[10:])], ledger) == []
    assert judge_films([clip(ledger)], ledger)


def test_holes_are_where_pictures_are_missing_and_nowhere_else():
    assert holes(film((0, 100, 0, 0)), LATER_US)[0].to_us is None  # it ended long ago
    ledger = film((0, 50, 0, 0), (50, 100, 4, 1))
    [hole] = holes(ledger, ledger[-1].sent_us)
    assert (hole.from_us, hole.to_us) == (BEGIN_US + 50 * FRAME_US, BEGIN_US + 50 * FRAME_US + 4 * SECOND)
    # Another connection that continues at once, and a picture that was handed over late, are none.
    ledger = film((0, 50, 0, 0), (50, 100, 0, 1))
    ledger[70].sent_us += SECOND
    assert not [hole for hole in holes(ledger, ledger[-1].sent_us) if hole.certain]
    # A picture that is not whole costs those up to the next keyframe.
    ledger = [sent(number, complete=number != 23) for number in range(60)]
    [hole] = holes(ledger, ledger[-1].sent_us)
    assert (hole.from_us, hole.to_us) == (BEGIN_US + 23 * FRAME_US, BEGIN_US + 30 * FRAME_US)


def test_what_is_recorded_in_the_beginning_can_be_left_aside():
    ledger = film((0, 30, 0, 0))
    row = Row("x", "y", begins_s=1)
    assert [picture.number for one in without_begin([clip(ledger[:5]), clip(ledger[5:])], ledger, row)
            for picture in one] == [*range(10, 30)]
    assert judge_numbers([clip(ledger[10:])], ledger, row, LATER_US) == []
    assert judge_numbers([clip(ledger[11:])], ledger, row, LATER_US)


def test_gaps_must_be_where_the_holes_are():
    ledger = film((0, 50, 0, 0), (50, 100, 4, 1))
    until_us, from_us = ledger[-1].sent_us, BEGIN_US + 50 * FRAME_US
    added_us = BEGIN_US - SECOND
    right = gap(from_us + 50_000, from_us + 4 * SECOND)
    first = gap(added_us, BEGIN_US)

    def judge(*gaps, row=ROW):
        return judge_gaps(list(gaps), ledger, row, added_us, until_us)
    assert judge(right) == judge(first, right) == []
    assert "no gap" in judge(first)[0]
    assert any("nothing is missing" in words for words in judge(right, gap(from_us + 5 * SECOND, from_us + 6 * SECOND)))
    assert "should be disconnected" in judge(gap(from_us, from_us + 4 * SECOND, "stalled"))[0]
    assert "no gap" in judge(gap(from_us, None))[0]
    assert "no gap" in judge(gap(from_us - SECOND, from_us + 4 * SECOND))[0]
    assert "no length" in judge(right, gap(from_us, from_us))[0]
    assert "first gap should end" in judge(gap(added_us, BEGIN_US + SECOND), right)[0]


def test_a_camera_that_is_never_recorded_has_one_open_gap():
    row = Row("x", "y", status="offline", cause="unusable")
    assert judge_gaps([gap(BEGIN_US, None, "unusable")], [], row, BEGIN_US, LATER_US) == []
    for wrong in ([], [gap(BEGIN_US, None, "refused")], [gap(BEGIN_US, LATER_US, "unusable")],
                  [gap(BEGIN_US + 30 * SECOND, None, "unusable")]):
        assert judge_gaps(wrong, [], row, BEGIN_US, LATER_US)
