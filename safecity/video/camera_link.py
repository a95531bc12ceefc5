"""How a camera is reached: names, connections that are begun and not waited for, and what their errors mean."""

import errno
import ipaddress
import socket

from safecity.platform.errors import Problem, Unavailable


def begin_connection(address: str, port: int) -> socket.socket:
    """A socket that connects; ready to be written to when it has, or has failed. Raises OSError where it failed now."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    failed = sock.connect_ex((address, port))
    if failed not in (0, errno.EINPROGRESS):
        sock.close()
        raise OSError(failed, "connect")
    return sock


def check_connected(sock: socket.socket) -> None:
    """Raises OSError where the connection that was begun has failed."""
    failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if failed:
        raise OSError(failed, "connect")


def is_address(host: str) -> bool:
    """Is it an IP address, which needs no look-up?"""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def resolve_host(host: str) -> str:
    """The first address of a name; waits for the resolver. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return str(found[0][4][0])


_REASONS: tuple[tuple[tuple[type[OSError], ...], str, str], ...] = (
    ((ConnectionRefusedError,), "video.refused", "nothing listens at the camera's address and port"),
    ((TimeoutError,), "video.timeout", "the camera does not answer, or sends nothing"),
    ((ConnectionError,), "video.broken", "the connection to the camera broke"),
)


def translate(error: OSError) -> Problem:
    """What an error of the network means to us."""
    kind = OSError(error.errno, error.strerror) if error.errno else error  # makes the subclass that fits the number
    for kinds, code, message in _REASONS:
        if isinstance(kind, kinds):
            return Unavailable(message, code=code)
    return Unavailable("the camera cannot be reached; look at the link", code="video.unreachable")
