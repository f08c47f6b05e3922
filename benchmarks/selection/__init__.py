"""How well bnsearch chooses, on tables of trained networks: `python -m benchmarks.selection`; see docs/selection.md."""

from benchmarks.section import Options, Section


def measure(options: Options) -> Section:
    """Make the tables and replays that are missing, and report on all; `quick`: a few replays on the digits."""
    from benchmarks.selection import making, replay, report
    from benchmarks.selection.contest import contest
    from benchmarks.selection.specs import N_SEEDS, SPECS

    names = ["digits"] if options.quick else list(SPECS)
    for name in names:
        making.make(SPECS[name], range(N_SEEDS), data_dir=options.data_dir)
        for n_valid in SPECS[name].sizes:
            methods = [m for m in contest() if not (options.quick and m.startswith("GP"))]
            replay.replay_all(name, n_valid, methods, share=0.02 if options.quick else 1.0)
    return report.section(names)
