"""Compare plans with the reference executor on as many random operations as wanted.

`python tests/benchmarks/graphql_differential.py --count 100000`
"""

import argparse
import sys
from pathlib import Path
from random import Random

sys.path[:0] = [str(Path(__file__).parents[2])]

from tests.benchmarks.shops import DIALECTS, empty_crm  # noqa: E402
from tests.schema.engine import extras  # noqa: E402
from tests.schema.engine.differential import Differential, fill  # noqa: E402

from crmkit import Actor  # noqa: E402
from crmkit.clock import FixedClock  # noqa: E402
from crmkit.testing import NOON  # noqa: E402
from crmkit_schema.runtime import ComposedSchema  # noqa: E402


def main() -> None:
    """Split the operations over both databases; stops at the first difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dialect", choices=DIALECTS)
    given = parser.parse_args()
    dialects = [given.dialect] if given.dialect else list(DIALECTS)
    for dialect in dialects:
        with empty_crm(dialect, extras, clock=FixedClock(NOON)) as crm:
            fill(crm)
            actor = Actor("differential", "admin", frozenset(crm.registry.permissions))
            run = Differential(ComposedSchema(crm), actor, Random(given.seed))
            run.run(given.count // len(dialects))
        print(f"{dialect}: {run.compared:,} compared, {run.covered / run.compared:.1%} by plan")
        for reason, count in run.reasons.most_common(12):
            print(f"{count:7,} {reason}")


if __name__ == "__main__":
    main()
