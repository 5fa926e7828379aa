"""How a peer answers: see parts/sides.py. Importing this keeps standard output for the answers alone: what libraries
print goes to standard error. SPDX-License-Identifier: MIT
"""
import json
import os
import sys
import time

_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def answer(text):
    print(text, file=_answers, flush=True)


def missing(why):
    answer(f"missing {' '.join(str(why).split())[:300]}")
    sys.exit(1)


def serve(step, note, warm_up=3, clock=time.perf_counter):
    """Warms up, says that it is ready, then runs step for as long as each line says, twice at least."""
    for _ in range(warm_up):
        step()
    answer(f"ready {note}")
    for line in sys.stdin:
        times, end = [], clock() + float(line)
        while clock() < end or len(times) < 2:
            start = clock()
            step()
            times.append(1e3 * (clock() - start))
        answer(json.dumps(times))
