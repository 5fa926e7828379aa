"""The kernels of single layers, on one thread, beside the peak of multiply-adds and the bandwidth of the memory.
SPDX-License-Identifier: MIT
"""
import json
import subprocess

from parts import tables

PASSES = ("forward", "backward data", "backward weights")


def run(options):
    command = [str(options.program("tests/bench/bench_kernels")), "--json", "--level", options.machine["level"],
               "--seconds", str(options.kernel_seconds)]
    with options.lock:
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in answer.splitlines():
        yield json.loads(line)


def report(rows):
    layers = {}
    for row in rows:
        layers.setdefault(row["layer"], {})[row["pass"]] = row
    column = lambda passes, key, text: " / ".join(
        text.format(passes[name][key]) if name in passes else "-" for name in PASSES)
    return tables.table(["layer", "algorithms", "ms", "% of peak", "% of bandwidth"], [
        [layer, column(passes, "algorithm", "{}"), column(passes, "ms", "{:.3g}"),
         column(passes, "percent_of_peak", "{:.0f}"), column(passes, "percent_of_bandwidth", "{:.0f}")]
        for layer, passes in layers.items()])
