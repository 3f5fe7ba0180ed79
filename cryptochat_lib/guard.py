"""The guard: what every request to the UI server passes before anything else.

The UI server listens on loopback, but every web page in the user's browser can
reach loopback too. Each check stops a way in:

1. *exactly one Host, a loopback name with our port*: DNS rebinding, where an
   attacker's name is pointed at 127.0.0.1 (else 421);
2. *OPTIONS is refused, and no CORS header is ever sent*: preflights fail (405);
3. *Sec-Fetch-Site is same-origin*: other sites, and other ports of this
   machine, which are the same site (403). Opening `/` as a document passes
   from anywhere: that is a link, a bookmark, or the address bar;
4. */api is only fetched*: never a document, a script, a frame, an image (403);
5. *Origin, where sent, is ours* (403);
6. *one plain Content-Length, no chunks, no body on GET, a JSON body says so*:
   forms and beacons cannot send application/json without asking first
   (400, 411, 413, 415).

Pure: a head in, the body's length out, or an error.
"""

from __future__ import annotations

from .errors import BadRequest, Forbidden, MethodNotAllowed, MisdirectedRequest, UnsupportedMediaType
from .http_head import Head
from .model import Endpoint


def own_hosts(host: str, port: int) -> frozenset[str]:
    """The values of Host that mean us: the loopback names, and the address that we listen on."""
    bound = str(Endpoint(host, port))
    return frozenset({bound, *(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))})


def check(head: Head, own: frozenset[str], most_body: int) -> int:
    """Let `head` pass to one of our `own` hosts, or raise; returns the length of its body in bytes."""
    hosts = head.fields.all("host")
    if len(hosts) != 1 or (host := hosts[0].lower()) not in own:
        raise MisdirectedRequest()
    if head.method == "OPTIONS":
        raise MethodNotAllowed()
    _check_fetch(head)
    origin = head.one("origin")
    if origin is not None and origin != f"http://{host}":
        raise Forbidden()
    return _check_body(head, most_body)


def _check_fetch(head: Head) -> None:
    """Fetch metadata, which pages cannot forge (W3C Fetch Metadata Request Headers)."""
    site, mode, dest = (head.one(f"sec-fetch-{name}") for name in ("site", "mode", "dest"))
    is_api = head.segments[0] in ("api", "rooms")
    if is_api and (mode == "navigate" or dest not in (None, "empty")):
        raise Forbidden()
    opens_page = head.segments == ("",) and head.method == "GET" and (mode, dest) == ("navigate", "document")
    if site not in (None, "same-origin") and not opens_page:
        raise Forbidden()


def _check_body(head: Head, most: int) -> int:
    length = head.content_length(most)
    if length and head.method in ("GET", "HEAD"):
        raise BadRequest(f"{head.method} has no body")
    content_type = head.one("content-type")
    if length and (content_type or "").split(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType()
    return length
