"""Puts a local port on the internet through a relay that cannot read it.

    with porthole.expose(3000, invite="porthole://join?...") as tunnel:
        print(tunnel.url)
        request = tunnel.wait_for_request("method:POST path:/webhooks")

For asyncio there are `porthole.start_client` and `porthole.attach_client`, with the same methods.
"""

from . import types
from ._client import AsyncClient, start_client
from ._client import attach as attach_client
from ._signing import SigningIdentity
from ._sync import Client, Tunnel, attach, expose, start
from ._tunnel import AsyncTunnel
from .errors import PortholeError

__all__ = [
    "AsyncClient",
    "AsyncTunnel",
    "Client",
    "PortholeError",
    "SigningIdentity",
    "Tunnel",
    "attach",
    "attach_client",
    "expose",
    "start",
    "start_client",
    "types",
]
