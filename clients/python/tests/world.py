"""What the tests share: a service, a visitor, and the programs of the checkout, which `test/rpc/python.test.ts` names."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, Iterator, List, Tuple

from porthole.types import RelaySpec, TunnelStateView

DEADLINE_SECONDS = 60

# {"command": the client, "relay": "host:port", "fingerprint": ...}
_WORLD: Dict[str, Any] = json.loads(os.environ["PORTHOLE_TEST"])
CLIENT: List[str] = _WORLD["command"]
DAEMON: List[str] = [*CLIENT, "daemon", "--stdio"]
RELAY: RelaySpec = {"address": _WORLD["relay"], "fingerprint": _WORLD["fingerprint"]}


class Case(unittest.TestCase):
    """A test with a service behind the tunnel, and a state folder."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        service = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
        service.daemon_threads = True
        thread = threading.Thread(target=service.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(service.server_close)
        self.addCleanup(service.shutdown)
        self.port: int = service.server_port

    @property
    def options(self) -> Dict[str, Any]:
        return {"relay": RELAY, "transport": "h2"}


class _Service(BaseHTTPRequestHandler):
    """Says what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._say(b"")

    def do_POST(self) -> None:
        self._say(self.rfile.read(int(self.headers["Content-Length"])))

    def _say(self, body: bytes) -> None:
        said = self.command.encode() + b" " + self.path.encode() + b" " + body
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def visit(state: TunnelStateView, method: str = "GET", path: str = "/", body: bytes = b"") -> Tuple[int, str]:
    """Visits the tunnel, and trusts exactly the certificate that its state has."""
    endpoint = state["endpoints"][0]
    parts = urllib.parse.urlsplit(endpoint["urls"][0])
    assert parts.hostname is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 443, timeout=DEADLINE_SECONDS)
    plain = socket.create_connection(("127.0.0.1", parts.port or 443), timeout=DEADLINE_SECONDS)
    secured = context.wrap_socket(plain, server_hostname=parts.hostname)
    connection.sock = secured
    digest = hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest().upper()
    assert digest == endpoint["certificates"][0]["sha256"].replace(":", ""), "another certificate"
    connection.request(method, path, body or None)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


@contextmanager
def running_client(port: int, folder: str) -> Iterator["subprocess.Popen[str]"]:
    """A client that somebody has started on the command line."""
    relay = ["--server", RELAY["address"], "--server-fingerprint", RELAY["fingerprint"]]
    command = [*CLIENT, str(port), *relay, "--force-h2", "--state-dir", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("URL: "):
                    break
            yield process
        finally:
            process.terminate()
            process.stdout.read()
