#!/usr/bin/env python3
"""Drives a Porthole client from Python, with nothing but the standard library.

    drive.py RELAY FINGERPRINT LOCAL COMMAND...
    drive.py relay.example.com:4433 mfzw... 3000 porthole daemon --stdio

Exposes the local service, fetches / through the tunnel, says what it saw, and ends. What goes to and fro is
written to standard output, one JSON object a line.
"""

import hashlib
import http.client
import itertools
import json
import queue
import socket
import ssl
import subprocess
import sys
import threading
import urllib.parse

DEADLINE_SECONDS = 30


class Daemon:
    """A program that speaks JSON-RPC 2.0: a child on its standard streams, or a client that runs on its socket."""

    def __init__(self, input, output):
        self.input, self.output = input, output
        self.ids = itertools.count(1)
        self.answers = queue.Queue()
        self.notifications = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def call(self, method, params):
        """One request at a time, so the next answer is ours."""
        message = {"jsonrpc": "2.0", "id": next(self.ids), "method": method, "params": params}
        show("->", message)
        body = json.dumps(message).encode()
        self.input.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.input.flush()
        answer = self.answers.get(timeout=DEADLINE_SECONDS)
        show("<-", answer)
        if "error" in answer:
            data = answer["error"]["data"]
            raise SystemExit(f"{method}: {data['message']} ({data['code']}). {data.get('hint', '')}")
        return answer["result"]

    def wait_for(self, method, fits):
        while True:
            message = self.notifications.get(timeout=DEADLINE_SECONDS)
            if message["method"] == method and fits(message["params"]):
                show("<-", message)
                return message["params"]

    def _read(self):
        output = self.output
        while header := output.readline():
            length = int(header.split(b":")[1])
            while output.readline() not in (b"\r\n", b""):
                pass
            message = json.loads(output.read(length))
            (self.notifications if "method" in message else self.answers).put(message)
        gone = {"code": "closed", "message": "The daemon has ended"}
        self.answers.put({"error": {"data": gone}})


def show(direction, message):
    print(json.dumps({"direction": direction, "message": message}), flush=True)


def fetch(url, sha256, address):
    """Like http.client, but trusts exactly the certificate with this digest, as an app that pins it does."""
    parts = urllib.parse.urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 443, timeout=DEADLINE_SECONDS)
    plain = socket.create_connection((address, parts.port or 443), timeout=DEADLINE_SECONDS)
    connection.sock = context.wrap_socket(plain, server_hostname=parts.hostname)
    digest = hashlib.sha256(connection.sock.getpeercert(binary_form=True)).hexdigest().upper()
    if digest != sha256.replace(":", ""):
        raise SystemExit(f"{url} shows another certificate: {digest}")
    connection.request("GET", "/")
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


def main(relay, fingerprint, local, command):
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    daemon = Daemon(child.stdin, child.stdout)
    daemon.call("initialize", {"rpcVersion": 1, "client": {"name": "drive.py", "version": "1"}})
    identity = daemon.call("identity/create", {})
    daemon.call(
        "tunnel/start",
        {
            "id": "web",
            "relays": [{"address": relay, "fingerprint": fingerprint}],
            "primary": {"identity": {"pem": identity["pem"]}, "local": local},
            "transport": "h2",
        },
    )
    state = daemon.wait_for("tunnel/state", lambda params: is_online(params["state"]))["state"]
    endpoint = state["endpoints"][0]
    status, body = fetch(endpoint["urls"][0], endpoint["certificates"][0]["sha256"], relay.rsplit(":", 1)[0])
    visit = daemon.wait_for("tunnel/visit", lambda params: params["id"] == "web")["visit"]
    daemon.call("tunnel/stop", {"id": "web"})
    daemon.call("shutdown", {})
    child.stdin.close()
    code = child.wait(timeout=DEADLINE_SECONDS)
    print(json.dumps({"status": status, "body": body, "visitor": visit["address"], "exit": code}))


def is_online(state):
    return any(relay["now"]["status"] == "online" for endpoint in state["endpoints"] for relay in endpoint["relays"])


if __name__ == "__main__":
    if len(sys.argv) < 5:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
