# SPDX-License-Identifier: GPL-2.0-only
"""How files come back from a guest: one package through its second serial port.

A line `irqcost-result BYTES SHA256`, and a gzipped tar archive of so many bytes. Length and
checksum tell a whole package from a truncated or damaged one.
"""

import hashlib
import io
import re
import tarfile


class TransportError(Exception):
    """What arrived is no whole package; the text says in which way."""


def unpack(received: bytes) -> dict[str, bytes]:
    """The files of a package, by their paths. Raises TransportError."""
    head, separator, body = received.partition(b"\n")
    match = re.fullmatch(rb"irqcost-result (\d+) ([0-9a-f]{64})", head)
    if not received:
        raise TransportError("nothing came back")
    if not separator or not match:
        raise TransportError("what came back does not begin as a result does")
    length = int(match[1])
    if len(body) != length:
        raise TransportError(f"{len(body)} bytes came back of {length}")
    if hashlib.sha256(body).hexdigest().encode() != match[2]:
        raise TransportError("what came back was damaged on its way: its checksum is wrong")
    try:
        return _files(body)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise TransportError(f"what came back is no archive: {error}") from error


def _files(package: bytes) -> dict[str, bytes]:
    files = {}
    with tarfile.open(fileobj=io.BytesIO(package), mode="r:gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content:
                files[member.name.removeprefix("./")] = content.read()
    return files
