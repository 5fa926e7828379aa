"""Markdown tables of results. SPDX-License-Identifier: MIT"""


def number(x):
    return "-" if x is None else f"{x:.0f}" if x >= 1000 else f"{x:.3g}" if x < 100 else f"{x:.0f}"


def times(row):
    """"best (median)" of a measured side, or a dash."""
    return "-" if row is None else f"{number(row['best_ms'])} ({number(row['median_ms'])})"


def ratio(peers, ours, key="best_ms"):
    """How many times faster ours is than the fastest of the peers; None: one of them was not measured."""
    peers = [row[key] for row in peers if row]
    return min(peers) / ours[key] if peers and ours else None


def ratios(peers, ours):
    values = [ratio(peers, ours, key) for key in ("best_ms", "median_ms")]
    return "-" if values[0] is None else f"{values[0]:.2f} ({values[1]:.2f})"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
