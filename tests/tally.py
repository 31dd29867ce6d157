#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts test cases in what the suites of tests/run wrote.

usage: tally.py cmocka TESTLOG.json EXIT | junit RESULT.xml EXIT | tap RESULT.tap EXIT
       tally.py sum COUNTS-FILE

The first three print "PASSED FAILED SKIPPED" of one suite. A suite that left nothing to count,
or whose exit code says failure while every counted case passed, counts as one failure more. `sum`
adds up lines of such counts and prints the run's last line; it exits with 1 when anything failed.
"""
import json
import re
import sys
import xml.etree.ElementTree

CASE = re.compile(r"^\[ +(RUN|OK|SKIPPED) +\] ", re.MULTILINE)


def count_program(entry):
    """One test program of meson's log: cmocka's lines tell the cases, the result tells a crash."""
    text = entry.get("stdout", "") + "\n" + entry.get("stderr", "")
    found = CASE.findall(text)
    run, passed, skipped = (found.count(word) for word in ("RUN", "OK", "SKIPPED"))
    if entry["result"] in ("OK", "EXPECTEDFAIL"):
        return (passed, run - passed - skipped, skipped) if run else (1, 0, 0)
    if entry["result"] == "SKIP":
        return passed, 0, skipped or 1
    return passed, max(1, run - passed - skipped), skipped


def count_cmocka(text):
    return [count_program(json.loads(line)) for line in text.splitlines() if line.strip()]


def count_junit(text):
    counts = []
    for case in xml.etree.ElementTree.fromstring(text).iter("testcase"):
        inside = {child.tag for child in case}
        failed = bool(inside & {"failure", "error"})
        skipped = "skipped" in inside and not failed
        counts.append((int(not failed and not skipped), int(failed), int(skipped)))
    return counts


def count_tap(text):
    """Node's TAP: the totals in its last comment lines, of every cases' depth."""
    totals = dict(re.findall(r"^# (tests|pass|fail|cancelled|skipped|todo) (\d+)$", text, re.MULTILINE))
    number = {name: int(value) for name, value in totals.items()}
    if "tests" not in number:
        return []
    return [(number.get("pass", 0), number.get("fail", 0) + number.get("cancelled", 0),
             number.get("skipped", 0) + number.get("todo", 0))]


COUNTERS = {"cmocka": count_cmocka, "junit": count_junit, "tap": count_tap}


def count_suite(kind, text, exit_code):
    """(passed, failed, skipped) of one suite."""
    try:
        counts = COUNTERS[kind](text)
    except (ValueError, KeyError, xml.etree.ElementTree.ParseError):
        counts = []
    passed, failed, skipped = (sum(column) for column in zip(*counts)) if counts else (0, 0, 0)
    if failed == 0 and (exit_code != 0 or passed + skipped == 0):
        failed = 1
    return passed, failed, skipped


def summary(lines):
    """The run's last line, and its exit code."""
    counts = [tuple(map(int, line.split()[-3:])) for line in lines if line.strip()]
    passed, failed, skipped = (sum(column) for column in zip(*counts)) if counts else (0, 1, 0)
    text = f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
    return text, 1 if failed else 0


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "sum":
        text, code = summary(read(arguments[1]).splitlines())
        print(text)
        return code
    if len(arguments) == 3 and arguments[0] in COUNTERS:
        print(*count_suite(arguments[0], read(arguments[1]), int(arguments[2])))
        return 0
    print(__doc__.strip(), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
