"""How much is measured: the whole, a quick look, or only that everything works."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bench_node import Launch
from community import People


@dataclass(frozen=True)
class Scale:
    """Counts are for one round, unless the name says otherwise."""

    latency_rounds: int = 10
    latency_messages: int = 50
    latency_echoes: int = 200
    flood_rounds: int = 5
    flood_senders: tuple[int, ...] = (1, 4, 16)
    flood_messages: int = 4000
    flood_messages_unbatched: int = 1000
    room_sizes: tuple[int, ...] = (2, 4, 8, 16, 32)
    room_rounds: int = 5
    room_messages: int = 20
    trouble_rounds: int = 10
    trouble_messages: int = 20
    history_sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    history_rounds: int = 5
    history_requests: int = 20
    idle_members: int = 32
    idle_seconds: float = 60.0
    idle_settle_seconds: float = 15.0
    announced_peers: int = 250
    discovery_peers: tuple[int, ...] = (2, 8, 32, 128)
    discovery_asking: tuple[int, ...] = (2, 8, 32)
    discovery_verified: tuple[int, ...] = (2, 8)
    discovery_silence_seconds: int = 120
    discovery_seconds: float = 200.0
    page_history: int = 200_000
    page_rounds: int = 10
    page_messages: int = 50
    page_hour: int = 3_600
    page_frames: int = 300


FULL = Scale()
QUICK = Scale(
    latency_rounds=4,
    flood_rounds=2,
    flood_messages=1500,
    flood_messages_unbatched=400,
    room_sizes=(2, 4, 8),
    room_rounds=3,
    room_messages=10,
    trouble_rounds=4,
    trouble_messages=10,
    history_sizes=(2_000, 20_000),
    history_rounds=3,
    history_requests=10,
    idle_members=8,
    idle_seconds=10.0,
    idle_settle_seconds=8.0,
    announced_peers=40,
    discovery_peers=(2, 8, 32),
    discovery_asking=(2, 8),
    discovery_verified=(2, 8),
    discovery_silence_seconds=24,
    discovery_seconds=40.0,
    page_history=20_000,
    page_rounds=4,
    page_messages=10,
    page_hour=400,
    page_frames=100,
)
TINY = Scale(
    latency_rounds=2,
    latency_messages=5,
    latency_echoes=10,
    flood_rounds=2,
    flood_senders=(1, 4),
    flood_messages=60,
    flood_messages_unbatched=20,
    room_sizes=(2, 3),
    room_rounds=2,
    room_messages=3,
    trouble_rounds=2,
    trouble_messages=3,
    history_sizes=(300, 600),
    history_rounds=2,
    history_requests=3,
    idle_members=2,
    idle_seconds=2.0,
    idle_settle_seconds=1.0,
    announced_peers=3,
    discovery_peers=(2, 3),
    discovery_asking=(2,),
    discovery_verified=(2,),
    discovery_silence_seconds=6,
    discovery_seconds=8.0,
    page_history=3_000,
    page_rounds=2,
    page_messages=2,
    page_hour=5,
    page_frames=10,
)


@dataclass(frozen=True)
class Setting:
    """What every benchmark is handed. `folder`: where databases go; it is deleted at the end."""

    scale: Scale
    folder: Path
    launch: Launch
    people: People = field(default_factory=People)
