"""Memory: how far training steps push the resident memory of a fresh process above what it was with the network and the
pictures made; and what a context costs that has nothing to do. SPDX-License-Identifier: MIT
"""
import json
import subprocess

from parts import floors, sides, tables, training


def ours(options, network, threads):
    command = [options.program("tests/bench/bench_step"), network, *training.NETWORKS[network], threads, "--memory"]
    answer = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if answer.returncode != 0:
        raise sides.Missing(answer.stderr.strip().splitlines()[-1])
    return json.loads(answer.stdout)


def run(options):
    for network in floors.chosen(options, training.NETWORKS, lambda network: training.NETWORKS[network][:2]):
        for threads in options.threads:
            row = {"network": network, "batch": training.NETWORKS[network][2], "threads": threads}
            peers = {mode: lambda mode=mode: sides.once(options, "torch_step.py", threads, network, mode, threads,
                                                        *training.NETWORKS[network], "--memory")
                     for mode in ("eager", "channels_last")}
            for name, act in {"ours": lambda: ours(options, network, threads), **peers}.items():
                try:
                    row[name] = act()
                except sides.Missing as why:
                    options.say(f"memory of {network}: {name}: not measured: {why}")
            yield row


def report(results):
    rows = []
    for r in results:
        grown = {name: r[name]["peak_growth_mb"] for name in ("ours", "eager", "channels_last") if name in r}
        peers = [grown[name] for name in grown if name != "ours"]
        ratio = f"{grown['ours'] / min(peers):.2f}" if peers and "ours" in grown else "-"
        rows.append([f"{r['network']}, b{r['batch']}", str(r["threads"]),
                     *(tables.number(grown.get(name)) for name in ("ours", "eager", "channels_last")), ratio,
                     f"{r['ours']['rest_cpu_ms']:.2f}" if "ours" in r else "-"])
    return tables.table(["growth in training, MB", "threads", "ours", "PyTorch eager", "channels_last",
                         "ours / PyTorch", "ours at rest: ms of CPU a second"], rows)
