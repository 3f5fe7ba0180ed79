"""Every limit and every waiting time, in one frozen value that is handed in.

Each has a reason: an attacker's cost, a person's patience, or a bound on memory.
Tests scale them; `docs/PROTOCOL.md` lists them and a test compares the two.
Times are seconds, sizes are bytes, unless the name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True)
class Limits:
    """The limits of one running node."""

    # What one request may weigh.
    content_bytes: int = 64 * KIB
    drawing_bytes: int = 64 * KIB
    drawing_points: int = 20_000
    drawing_authors: int = 64
    username_characters: int = 64
    head_bytes: int = 16 * KIB
    head_fields: int = 100
    body_bytes: int = 1 * MIB
    json_depth: int = 32

    # How long one connection may take. The gate's time is not counted in `request_seconds`.
    handshake_seconds: float = 5.0
    # A seed-only peer asks its user while the TLS handshake waits.
    seed_handshake_seconds: float = 120.0
    request_seconds: float = 30.0
    idle_seconds: float = 300.0
    connect_seconds: float = 5.0
    # RFC 8305, section 5: so long one address may take before the next one is tried beside it.
    connect_stagger_seconds: float = 0.25
    # Addresses are announced by anybody, and whoever answers there may hold us. Sixteen of one
    # peer are kept; the true one must be among those that are tried: beside it, and the last good one.
    connects_at_once: int = 17
    connects_of_one_dial: int = 32
    # No sign of life from the other machine, whatever its program does: its connection is dead.
    lost_seconds: float = 10.0
    # Longer than `gate_seconds`: the other side may hold our request at its gate.
    reply_seconds: float = 150.0
    reply_bytes: int = 64 * KIB

    # How many connections, so that a flood from strangers leaves room for friends.
    peer_connections: int = 256
    peer_connections_of_one_address: int = 32
    peer_connections_unverified: int = 128
    ui_connections: int = 128

    # The gate: connections of unverified peers that wait for the user's answer.
    gate_seconds: float = 120.0
    gate_waiting: int = 8
    gate_waiting_for_one_key: int = 1

    # Open questions that are there only because somebody has knocked.
    knocks: int = 32
    knocks_of_one_address: int = 2

    # Looks: TLS handshakes that only learn a certificate.
    look_again_seconds: float = 30.0
    looks_at_once: int = 8
    looks_at_one_address: int = 2

    # The live comparison: from the press of the button to the result, and how long that is shown.
    comparison_seconds: float = 120.0
    comparison_shown_seconds: float = 600.0
    comparisons_at_once: int = 8
    comparison_bytes: int = 1 * KIB

    # What is remembered of people whom nobody has verified.
    unverified_keys: int = 256
    unverified_keys_of_one_address: int = 8
    keys_of_one_uuid: int = 4
    announced_peers: int = 1024

    # The announcement must fit one packet.
    joined_rooms: int = 16
    txt_bytes: int = 1200
    silence_seconds: float = 120.0
    # So long our own contact with somebody counts, without another one.
    contact_seconds: float = 660.0
    # Greetings: presence over the connection. More often to those whom mDNS does not show; who does
    # not answer is tried again after the first of these, then ever later, to the last.
    greet_seconds: float = 60.0
    greet_announced_seconds: float = 300.0
    greet_most_seconds: float = 900.0
    greetings_at_once: int = 4
    greeting_seconds: float = 10.0
    greeting_bytes: int = 64 * KIB
    greeting_records: int = 32
    # An announcement that differs from a peer's own word makes us ask it, so often at most.
    doubt_seconds: float = 5.0
    # Strangers of whom friends have passed on where they are; so many of one friend in so long.
    hinted_peers: int = 128
    hinted_peers_of_one: int = 32
    hint_seconds: float = 600.0
    # The doctor: how long it asks the network, and how long what it found is given again.
    doctor_seconds: float = 2.0
    doctor_again_seconds: float = 5.0
    # What the user adds by contact code or address.
    contacts: int = 64
    # Whoever is not there yet is tried again: so soon first, then half as often each time.
    contact_retry_first_seconds: float = 5.0
    contact_retry_most_seconds: float = 60.0
    contacts_at_once: int = 2

    # What waits for a recipient.
    queued_for_one_recipient: int = 10_000
    queued_seconds: float = 30 * DAY
    queued_unverified_seconds: float = 1 * DAY
    batch_messages: int = 100
    # While messages come faster than requests go, one request waits so long for more of them.
    gather_seconds: float = 0.01
    # How long the news that all has arrived waits for a commit that it can share.
    settle_seconds: float = 0.005
    retry_first_seconds: float = 0.5
    retry_most_seconds: float = 60.0

    # A verified peer's rate, measured over `rate_window_seconds`.
    rate_messages_per_second: int = 5_000
    rate_bytes_per_second: int = 16 * MIB
    rate_window_seconds: float = 10.0
    # The work that one key may have queued while other keys are at work.
    turn_seconds: float = 1.0

    # The page.
    history_most: int = 500
    history_default: int = 50
    search_words: int = 128
    events_kept: int = 4_096
    events_bytes: int = 16 * MIB
    sse_comment_seconds: float = 15.0
    sse_write_seconds: float = 10.0
    open_code_seconds: float = 60.0

    # The disk. More writes in one commit would save nothing, and keep the first of them waiting.
    writes_in_one_commit: int = 64
    free_disk_bytes: int = 200 * MIB
