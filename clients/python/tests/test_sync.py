from __future__ import annotations

import os
import signal
import sys
import threading

import porthole
from porthole import PortholeError

from world import DAEMON, RELAY, Case, running_client, visit


class Expose(Case):
    def test_exposes_a_port_waits_for_a_request_and_replays_it(self) -> None:
        with porthole.expose(self.port, command=DAEMON, state_dir=self.folder, **self.options) as tunnel:
            self.assertRegex(tunnel.url, r"^https://[a-z2-7]{26}\.")
            visitor = threading.Timer(0.2, lambda: visit(tunnel.state, "POST", "/hook?a=1", b'{"paid":true}'))
            visitor.start()
            detail = tunnel.wait_for_request("method:POST path:/hook")
            visitor.join()
            summary = detail["summary"]
            self.assertEqual((summary["method"], summary["target"], summary.get("status")), ("POST", "/hook?a=1", 200))
            self.assertEqual(tunnel.body(summary["id"]), b'{"paid":true}')
            again = tunnel.replay(summary["id"])
            self.assertEqual(again["summary"].get("replayOf"), summary["id"])
            self.assertEqual(tunnel.body(again["summary"]["id"], "response"), b'POST /hook?a=1 {"paid":true}')
            edited = tunnel.replay(summary["id"], {"target": "/other", "body": {"text": "ä"}})
            self.assertEqual(tunnel.body(edited["summary"]["id"], "response").decode(), "POST /other ä")
        self.assertEqual(tunnel.ended and tunnel.ended.code, "aborted")

    def test_counts_what_came_before_it_waited_and_each_request_once(self) -> None:
        with porthole.expose(self.port, command=DAEMON, state_dir=self.folder, **self.options) as tunnel:
            for path in ("/one", "/two"):
                visit(tunnel.state, "GET", path)
            targets = [tunnel.wait_for_request()["summary"]["target"] for _ in range(2)]
            self.assertEqual(targets, ["/one", "/two"])
            with self.assertRaises(PortholeError) as caught:
                tunnel.wait_for_request(timeout=0.3)
            self.assertEqual(caught.exception.code, "timeout")

    def test_keeps_its_address_from_one_run_to_the_next(self) -> None:
        with porthole.start(command=DAEMON, state_dir=self.folder) as client:
            urls = []
            for name in ("a", "b", "a"):
                with client.expose(self.port, tunnel=name, **self.options) as tunnel:
                    urls.append(tunnel.url)
            self.assertEqual(urls[0], urls[2])
            self.assertNotEqual(urls[0], urls[1])
            self.assertEqual(client.call("tunnel/list", {}), {"tunnels": []})


class Attach(Case):
    def test_attaches_to_a_running_client_and_leaves_it_running(self) -> None:
        with running_client(self.port, self.folder) as process:
            for _ in range(2):
                with porthole.attach(self.folder) as client:
                    tunnels = client.call("tunnel/list", {})["tunnels"]
                    self.assertEqual([tunnel["id"] for tunnel in tunnels], ["main"])
                    self.assertEqual(visit(tunnels[0]["state"], "GET", "/x"), (200, "GET /x "))
            self.assertIsNone(process.poll())

    def test_says_that_none_runs(self) -> None:
        with self.assertRaises(PortholeError) as caught:
            with porthole.attach(self.folder):
                self.fail("there is none")
        self.assertEqual(caught.exception.code, "unavailable")


class Failures(Case):
    def test_says_what_is_wrong_and_leaves_nothing(self) -> None:
        with porthole.start(command=DAEMON, state_dir=self.folder) as client:
            cases = [
                ("no port", "usage", {"local": "no port", **self.options}),
                ("no relay", "usage", {"local": self.port}),
                ("not an invite", "usage", {"local": self.port, "invite": "porthole://nonsense"}),
                ("a relay of another key", "untrusted", {"local": self.port, "relay": _of_another_key()}),
                ("an unknown field", "usage", {"local": self.port, **self.options, "transport": "pigeon"}),
                ("no time", "timeout", {"local": self.port, **self.options, "timeout": 0.001}),
            ]
            for what, code, options in cases:
                with self.subTest(what), self.assertRaises(PortholeError) as caught:
                    client.expose(**options)
                self.assertEqual(caught.exception.code, code, what)
            self.assertEqual(client.call("tunnel/list", {}), {"tunnels": []})
            with self.assertRaises(PortholeError) as caught:
                client.call("tunnel/nonsense", {})
            self.assertEqual(caught.exception.code, "usage")

    def test_says_that_the_program_is_missing_or_another_one(self) -> None:
        for command, code in (
            (["/nowhere/porthole"], "unavailable"),
            ([sys.executable, "-c", ""], "closed"),
            ([sys.executable, "-c", "print('hello'); print()"], "protocol"),
        ):
            with self.subTest(command), self.assertRaises(PortholeError) as caught:
                with porthole.start(command=command, state_dir=self.folder):
                    self.fail("it is not a daemon")
            self.assertEqual(caught.exception.code, code)

    def test_the_daemon_dies(self) -> None:
        noted = os.path.join(self.folder, "pid")
        command = ["sh", "-c", 'echo $$ >"$0"; exec "$@"', noted, *DAEMON]
        with porthole.start(command=command, state_dir=self.folder) as client:
            tunnel = client.expose(self.port, **self.options)
            ended = threading.Event()
            waiting = threading.Thread(target=lambda: _until_closed(tunnel, ended))
            waiting.start()
            with open(noted) as file:
                os.kill(int(file.read()), signal.SIGKILL)
            waiting.join(30)
            self.assertTrue(ended.is_set())
            self.assertEqual(client.closed and client.closed.code, "closed")
            self.assertEqual(tunnel.ended and tunnel.ended.code, "closed")
            with self.assertRaises(PortholeError) as caught:
                client.call("tunnel/list", {})
            self.assertEqual(caught.exception.code, "closed")


def _of_another_key() -> porthole.types.RelaySpec:
    return {"address": RELAY["address"], "fingerprint": "a" * 52}


def _until_closed(tunnel: porthole.Tunnel, ended: threading.Event) -> None:
    try:
        tunnel.wait_for_request(timeout=30)
    except PortholeError as error:
        if error.code == "closed":
            ended.set()
