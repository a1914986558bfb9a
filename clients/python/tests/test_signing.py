from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
import unittest
from typing import Any, Callable

import porthole
from porthole import PortholeError, SigningIdentity

from world import DAEMON, Case, running_client, visit


class Token:
    """A key that another program has: `openssl` reads it from a file that only the test knows."""

    def __init__(self, folder: str, name: str = "token.pem", *kind: str) -> None:
        self.path = os.path.join(folder, name)
        self.asked = 0
        algorithm = kind or ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        _openssl("genpkey", "-algorithm", *algorithm, "-out", self.path)
        self.public_key = _openssl("pkey", "-in", self.path, "-pubout").decode()

    def sign(self, data: bytes) -> bytes:
        self.asked += 1
        return _openssl("dgst", "-sha256", "-sign", self.path, data=data)


def _openssl(*args: str, data: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *args], input=data, check=True, capture_output=True).stdout


@unittest.skipIf(shutil.which("openssl") is None, "openssl is missing")
class Signing(Case):
    def setUp(self) -> None:
        super().setUp()
        self.token = Token(self.folder)
        self.identity = SigningIdentity(self.token.public_key, self.token.sign)

    def expose(self, client: porthole.Client, sign: Callable[[bytes], Any]) -> porthole.Tunnel:
        return client.expose(self.port, identity=SigningIdentity(self.token.public_key, sign), **self.options)

    def test_exposes_receives_and_replays_by_a_key_of_its_own(self) -> None:
        with porthole.expose(
            self.port, command=DAEMON, state_dir=self.folder, identity=self.identity, **self.options
        ) as tunnel:
            self.assertIn(f"https://{self.identity.fingerprint[:26]}.", tunnel.url)
            self.assertEqual(visit(tunnel.state, "POST", "/hook", b"paid"), (200, "POST /hook paid"))
            request = tunnel.wait_for_request("method:POST")
            again = tunnel.replay(request["summary"]["id"])
            self.assertEqual(tunnel.body(again["summary"]["id"], "response"), b"POST /hook paid")
        self.assertEqual(self.token.asked, 1)

    def test_takes_der_rsa_and_coroutines_and_the_owners_key(self) -> None:
        rsa = Token(self.folder, "rsa.pem", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")

        async def sign(data: bytes) -> bytes:
            return rsa.sign(data)

        spki = SigningIdentity(rsa.public_key, sign).spki
        identity = SigningIdentity(spki, sign)
        with porthole.start(command=DAEMON, state_dir=self.folder, owner=self.identity) as client:
            with client.expose(self.port, identity=identity, **self.options) as tunnel:
                self.assertIn(identity.fingerprint[:26], tunnel.url)
                self.assertEqual(visit(tunnel.state), (200, "GET / "))
        self.assertEqual((rsa.asked, self.token.asked), (1, 1))

    def test_says_why_the_key_did_not_sign(self) -> None:
        other = Token(self.folder, "other.pem")

        def refuse(_data: bytes) -> bytes:
            raise RuntimeError("the PIN is wrong")

        cases = [
            ("refused", "signer", "the PIN is wrong", refuse),
            ("text", "signer", "no bytes", lambda _data: "text"),
            ("another key", "key", "is not by the key", other.sign),
            ("nothing", "key", "is not by the key", lambda _data: b""),
        ]
        with porthole.start(command=DAEMON, state_dir=self.folder) as client:
            for what, code, text, sign in cases:
                with self.subTest(what), self.assertRaises(PortholeError) as caught:
                    self.expose(client, sign)
                self.assertEqual(caught.exception.code, code, what)
                self.assertIn(text, str(caught.exception))
                # The key is left alone for five seconds, unless it is provided again: expose does that.
            self.assertEqual(client.call("tunnel/list", {}), {"tunnels": []})
        for given in ("", "hello", "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----"):
            with self.assertRaises(PortholeError) as caught:
                SigningIdentity(given, self.token.sign)
            self.assertEqual(caught.exception.code, "key")

    def test_a_slow_key_holds_nothing_else_up(self) -> None:
        unlock = threading.Event()

        def sign(data: bytes) -> bytes:
            unlock.wait(60)
            return self.token.sign(data)

        with porthole.start(command=DAEMON, state_dir=self.folder) as client:
            starting = threading.Thread(target=lambda: self.expose(client, sign))
            starting.start()
            while not client.call("tunnel/list", {})["tunnels"]:
                time.sleep(0.05)
            unlock.set()
            starting.join(60)
            state = client.call("tunnel/list", {})["tunnels"][0]["state"]
            self.assertEqual(visit(state), (200, "GET / "))

    def test_a_program_that_dies_while_it_signs_and_one_that_attaches_in_its_place(self) -> None:
        with running_client(self.port, self.folder):
            asked = threading.Event()

            def never(_data: bytes) -> bytes:
                asked.set()
                time.sleep(2)
                return b""

            spec: porthole.types.TunnelStartParams = {
                "id": "token",
                "primary": {"identity": self.identity.ref, "local": str(self.port)},
                "relays": [self.options["relay"]],
                "transport": "h2",
            }
            with porthole.attach(self.folder) as client:
                client.provide(SigningIdentity(self.token.public_key, never))
                client.call("tunnel/start", spec)
                self.assertTrue(asked.wait(60))
            with porthole.attach(self.folder) as client:
                state = _ended(client)
                self.assertEqual(state["ended"]["error"]["code"], "signer")
                client.provide(self.identity)
                client.call("tunnel/start", spec)
                state = _online(client)
                self.assertEqual(visit(state), (200, "GET / "))
            # Its signature is good for a day: the tunnel stays when the program leaves.
            with porthole.attach(self.folder) as client:
                self.assertEqual(visit(_online(client)), (200, "GET / "))
            self.assertEqual(self.token.asked, 1)


def _state(client: porthole.Client, found: Callable[[Any], bool]) -> Any:
    for _ in range(600):
        for tunnel in client.call("tunnel/list", {})["tunnels"]:
            if tunnel["id"] == "token" and found(tunnel["state"]):
                return tunnel["state"]
        time.sleep(0.1)
    raise AssertionError(client.call("tunnel/list", {}))


def _ended(client: porthole.Client) -> Any:
    return _state(client, lambda state: "ended" in state)


def _online(client: porthole.Client) -> Any:
    return _state(client, lambda state: any(endpoint["urls"] for endpoint in state["endpoints"]))
