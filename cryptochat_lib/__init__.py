"""CryptoChat: end-to-end encrypted chat for the people on one network.

Reading order. What travels is in `docs/PROTOCOL.md`; then

1. the nouns and the one decision: `model`, `verification`;
2. both ends of the wire, side by side: `peer_server`, `peer_client`;
3. what a message does: `chat`, `outbox`, `events`;
4. how it is put together: `node`, `app`;
5. the rest at leisure.

A module imports only from the rows above its own, and in its own row from what
stands before it in its chain, past a `>` (`test/unit/test_bands.py`):

    values     errors, limits > model > json_object > drawing
               > wire, http_head, txt, words, names, ceremony, contact_code, qr > greeting, shapes
    parts      identity > sealing, peer_record > store > backlog
               events   deadline   http_read   accounts   workers
               whereabouts > presence, timetable
               attempts > dialing
               interfaces > own_addresses, neighbourhood, resource_records > sightings > claims > mdns_records
               > mdns_prompt > mdns_health > mdns_asking > mdns_link > mdns_links > discovery
    policy     gates, connections, rates, turns, clones, eviction > questions > verification > comparisons
               tls
    use cases  peer_client, profile, finding > looker, delivery, roster, hearsay, link_findings, peer_findings
               > comparer, sender, greetings, diagnosis > outbox, greeter
               > finder, chat, people, doctor > contacts > neighbours
    edges      routing > guard, session, sse, page, export, serving
               > listening, peer_server, ui_api > ui_server
    root       arguments, screen > ui_client > cli > options > terminal > node > app, commands
"""

__version__ = "0.1.0"
