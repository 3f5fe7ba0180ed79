"""What many unit tests start from: an identity, a real database, and small limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cryptochat_lib.identity import Identity, create_identity
from cryptochat_lib.limits import Limits
from cryptochat_lib.store import Store


@pytest.fixture(scope="session")
def identity() -> Identity:
    """Made once: a key of RSA-3072 takes its time."""
    return create_identity()


@pytest.fixture
def limits() -> Limits:
    return Limits(free_disk_bytes=0)


@pytest.fixture
def store(tmp_path: Path, identity: Identity, limits: Limits) -> Iterator[Store]:
    store = Store(tmp_path / "cryptochat.db", limits)
    store.open(lambda: identity)
    yield store
    store.close()
