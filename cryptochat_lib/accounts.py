"""Whose a connection on this machine is: the account that holds its other end.

Loopback is shared by everybody on the machine, and TCP does not say who connects. Linux
knows: a question about one socket (sock_diag(7), `struct inet_diag_req_v2`) is answered
with the uid of whoever made it, in some 50 µs, however many sockets there are. Reading
/proc/net/tcp, which says the same, takes milliseconds as soon as there are thousands.

This comes beside the token, and not in its place: where the system cannot say (another
system, no netlink in a sandbox), the token alone decides. Where it can, which a question
about a connection of our own finds out once, no answer is an answer: the connection was
reset, so that nobody holds its other end any more, and what came before would be read.

So too for what we connect to: a port that our program has left is free for everybody.

No threads: a question has a socket of its own.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
import threading
from typing import Any

_SOCK_DIAG = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_REQUEST = 1  # NLM_F_REQUEST
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_QUESTION = struct.Struct("=BBBxI")  # struct inet_diag_req_v2, before its socket
_ANY = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)  # any interface, no cookie
_UID_AND_INODE = struct.Struct("=II")  # the last fields of struct inet_diag_msg
_ERRNO = struct.Struct("=i")  # the first field of struct nlmsgerr
_RESET = (errno.ENOTCONN, errno.ENOENT)
_UID_AT = _HEADER.size + 64
_ROOT = 0
Address = tuple[Any, ...]
_TELLS = threading.Event()  # the system has once said whose a connection is


def is_another(connection: socket.socket) -> bool:
    """Whether another account of this machine is at the other end of a loopback connection.

    Ours is the account that we run as. Root is no other: it can do all that we can. Nor is,
    where we run as root, the account that said `sudo`. Someone who has closed their end
    already, or reset it, belongs to nobody, and is another: else closing at once would hide
    who it was.
    """
    try:
        uid, inode = _owner(connection)
    except OSError as error:
        return error.errno in _RESET and _can_tell()
    except (struct.error, ValueError):
        return False
    return inode == 0 or not is_ours(uid)


def leads_to_another(connection: socket.socket) -> bool:
    """Whether a loopback connection of ours leads to another account's program.

    Asked is whose the port is that it leads to: its own other end belongs to nobody until it is accepted.
    """
    try:
        uid, _ = _ask(connection.family, connection.getpeername(), None)
    except OSError as error:
        return error.errno in _RESET and _can_tell()
    except (struct.error, ValueError):
        return False
    return not is_ours(uid)


def is_ours(uid: int) -> bool:
    """Whether that account is no other than the one we run as: itself, root, or the one that said `sudo`."""
    return uid in (os.geteuid(), _ROOT, _sudoer())


def _can_tell() -> bool:
    """Whether the system says whose a connection is: asked about one between ourselves, until it has."""
    if _TELLS.is_set():
        return True
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname(), 1) as ours,
        ):
            listener.settimeout(1)
            with listener.accept()[0] as connection:
                tells = (
                    _owner(connection)[0] == os.geteuid() and connection.getpeername() == ours.getsockname()
                )
    except (OSError, struct.error, ValueError):
        return False
    if tells:
        _TELLS.set()
    return tells


def _owner(connection: socket.socket) -> tuple[int, int]:
    """The uid and the inode of the socket at the other end; the inode is 0 if nobody holds it any more.

    OSError where the system does not say, with an errno of `_RESET` if there is no such end.
    """
    return _ask(connection.family, connection.getpeername(), connection.getsockname())


def _ask(family: int, local: Address, remote: Address | None) -> tuple[int, int]:
    """The uid and the inode of the socket that is at `local`; without a `remote`, of the one that listens."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "only Linux says whose a connection is")
    far = socket.inet_pton(family, remote[0]) if remote else b""
    near = socket.inet_pton(family, local[0])
    ends = struct.pack("!HH", local[1], remote[1] if remote else 0) + near.ljust(16, b"\0")
    ends += far.ljust(16, b"\0")
    question = _QUESTION.pack(family, socket.IPPROTO_TCP, 0, 0xFFFFFFFF) + ends + _ANY
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _SOCK_DIAG) as system:
        system.settimeout(1)
        system.send(_HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST, 0, 0) + question)
        answer = system.recv(4096)
    _, kind, _, _, _ = _HEADER.unpack_from(answer)
    if kind != _BY_FAMILY:  # an error, as a negative errno
        raise OSError(-_ERRNO.unpack_from(answer, _HEADER.size)[0], "the system does not know the other end")
    uid, inode = _UID_AND_INODE.unpack_from(answer, _UID_AT)
    return uid, inode


def _sudoer() -> int:
    """The account that runs us by sudo; without one, our own."""
    given = os.environ.get("SUDO_UID", "") if os.geteuid() == _ROOT else ""
    return int(given) if given.isascii() and given.isdigit() else os.geteuid()
