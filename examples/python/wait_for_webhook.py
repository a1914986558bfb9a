"""Waits for a webhook at a public URL, shows it, and sends it again: python3 wait_for_webhook.py PORT"""

import os
import sys

import porthole

port = int(sys.argv[1])
with porthole.expose(port, invite=os.environ.get("PORTHOLE_INVITE"), tunnel="webhooks") as tunnel:
    print(tunnel.url, flush=True)
    summary = tunnel.wait_for_request("method:POST", timeout=3600)["summary"]
    print(summary["method"], summary["target"], summary["status"], flush=True)
    print(tunnel.body(summary["id"]), flush=True)
    tunnel.replay(summary["id"])
