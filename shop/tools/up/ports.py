"""Ports on loopback: whether one is free, and one that is."""

from __future__ import annotations

import random
import socket

# Below the range of ports the system gives to outgoing connections: a client that keeps knocking at the port of a dead
# server can otherwise be given that very port, connect to itself, and keep the server from coming back.
PORTS = range(20_000, 32_000)
_given: set[int] = set()


def port_is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection's rest is no user
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free port on loopback, never the same twice in one process."""
    for port in random.SystemRandom().sample(
        PORTS, len(PORTS)
    ):  # not those that a process with the same seed tries
        if port not in _given and port_is_free(port):
            _given.add(port)
            return port
    raise OSError("there is no free port on 127.0.0.1")
