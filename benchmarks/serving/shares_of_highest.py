"""Runs at a share of each case's highest throughput, which is measured before each run. Makes no figures of them."""

from collections.abc import Iterator, Sequence

from benchmarks.serving.cases import Case
from benchmarks.serving.open_loop import Outcome, Stream, ask
from benchmarks.serving.options import Options
from benchmarks.serving.processes import service


def run_at_share(
    cases: Sequence[Case], options: Options, share: float, *, connections: int = 64, lengths: int = 1
) -> Iterator[tuple[int, float, Outcome]]:
    """Yield, round by round, the index of each case, its highest requests per second, and the outcome at the share.

    A run lasts `lengths` times as long as the measurement of the highest throughput.
    """
    core, seconds = options.cores.client, options.seconds
    frameworks = sorted({case.framework for case in cases})
    with service(options.cores.server, frameworks=frameworks, arguments=options.server_args) as server:
        for case in cases:
            case.check(server.url)
            case.highest(server.url, core=core, seconds=1)  # warms up
        for _ in range(options.rounds):
            for index, case in enumerate(cases):
                highest = case.highest(server.url, core=core, seconds=seconds)
                stream = Stream(case.request(server.url), rate=share * highest, connections=connections)
                (outcome,) = ask([stream], core=core, seconds=lengths * seconds)
                yield index, highest, outcome
