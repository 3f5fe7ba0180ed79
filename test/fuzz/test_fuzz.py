"""Whatever is said to a node: no traceback, no fault of its own, alive, and good clients are served.

One fuzzer for each way in, each against a node of its own, all of them at the same time; so a minute
of each takes little more than a minute. For longer, or with an earlier run's chance:

    python3 tools/test.py test/fuzz --fuzz-seconds 3600 --fuzz-seed 7
    python3 tools/test.py test/fuzz -k TLS --fuzz-seconds 600

The seed decides every case, not how fast they come. A case that went wrong is printed in hex.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from campaign import Campaign
from fuzzer import TARGETS
from good_clients import GOOD_CLIENTS
from people import People

_LOOK_EVERY_SECONDS = 0.2


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each way in, with the patience that goes with the time that the command line gives."""
    if "target" in metafunc.fixturenames:
        patience = pytest.mark.timeout(2 * metafunc.config.getoption("fuzz_seconds") + 240)
        metafunc.parametrize("target", [pytest.param(name, marks=patience) for name in TARGETS])


@pytest.fixture(scope="module")
def campaigns(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Campaign]]:
    """Those that this run asks for, all begun, and their time over, or one of them has found something."""
    wanted = [
        str(item.callspec.params["target"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path and hasattr(item, "callspec")
    ]
    given = request.config.getoption("fuzz_seed")
    seed = random.SystemRandom().randrange(10**6) if given is None else given
    folder = tmp_path_factory.mktemp("fuzz")
    people = People(folder)
    made = {name: Campaign(name, folder / str(i), people, seed) for i, name in enumerate(wanted)}
    with ExitStack() as stack:
        with ThreadPoolExecutor(2) as pool:
            for campaign in pool.map(Campaign.__enter__, made.values()):
                stack.push(campaign)
        ends = time.monotonic() + request.config.getoption("fuzz_seconds")
        while time.monotonic() < ends and not any(campaign.is_over for campaign in made.values()):
            time.sleep(_LOOK_EVERY_SECONDS)
        print(f"--fuzz-seed {seed}")
        yield made


def test_nothing_that_is_said_upsets_the_node(
    target: str, campaigns: dict[str, Campaign], capsys: pytest.CaptureFixture[str]
) -> None:
    went = campaigns[target].finish()
    with capsys.disabled():
        print(f"\n{went} (--fuzz-seed {campaigns[target].seed})")


def test_each_way_in_has_a_good_client() -> None:
    assert GOOD_CLIENTS.keys() == TARGETS.keys()
