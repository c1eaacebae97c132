"""Sums up a run of the Autobahn suite and compares it with the baseline: lines of `case verdict`.

Usage: conformance-report.py [--write] REPORT_DIRECTORY BASELINE
Exits with 1 when a case failed, did not run, or is worse than the baseline says. Runs on Python 2.7 and 3.
"""

from __future__ import print_function

import json
import os
import re
import sys
from collections import Counter

# From best to worst; whatever is not named here is a failure.
ACCEPTED = ["OK", "INFORMATIONAL", "NON-STRICT"]


def rank(verdict):
    return ACCEPTED.index(verdict) if verdict in ACCEPTED else len(ACCEPTED)


def verdict(case):
    """The behaviour, or what was wrong with the closing when only that was wrong."""
    close = case["behaviorClose"]
    if rank(case["behavior"]) < len(ACCEPTED) and close not in ("OK", "INFORMATIONAL"):
        return "CLOSE-" + close.replace(" ", "-")
    return case["behavior"].replace(" ", "-")


def order(case):
    return [int(part) for part in case.split(".")]


def read_baseline(path):
    if not os.path.exists(path):
        return {}
    with open(path) as lines:
        return dict(line.split() for line in lines if line.strip())


def write_baseline(path, verdicts):
    if not os.path.isdir(os.path.dirname(path)):
        os.makedirs(os.path.dirname(path))
    with open(path, "w") as out:
        for case in sorted(verdicts, key=order):
            out.write("%s %s\n" % (case, verdicts[case]))


def read_run(directory):
    """The verdict of each case, and how many cases were asked for."""
    with open(os.path.join(directory, "log")) as log:
        planned = int(re.search(r"will run (\d+) test cases", log.read()).group(1))
    with open(os.path.join(directory, "index.json")) as index:
        agents = json.load(index)
    cases = list(agents.values())[0] if agents else {}
    return {case: verdict(report) for case, report in cases.items()}, planned


def main(arguments):
    write = arguments[0] == "--write"
    directory, path = arguments[-2:]
    run, planned = read_run(directory)
    baseline = read_baseline(path)

    failed = [case for case in run if rank(run[case]) == len(ACCEPTED)]
    worse = [case for case in run if rank(run[case]) > rank(baseline.get(case, run[case]))]
    for case in sorted(set(failed + worse), key=order):
        print("%-10s %s (baseline: %s)" % (case, run[case], baseline.get(case, "none")))
    counts = ", ".join("%d %s" % (number, name) for name, number in Counter(run.values()).most_common())
    print("%d of %d cases: %s; reports in %s" % (len(run), planned, counts or "nothing ran", directory))

    if write:
        write_baseline(path, dict(baseline, **run))
    else:
        changed = [case for case in run if baseline.get(case) != run[case]]
        if changed:
            print("%d differ from %s; --write records them" % (len(changed), path))
    return 1 if failed or (worse and not write) or not run or len(run) < planned else 0


sys.exit(main(sys.argv[1:]))
