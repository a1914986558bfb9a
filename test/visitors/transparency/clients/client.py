"""Sends the requests of a file with http.client, and prints an answer on each line."""

import base64
import concurrent.futures
import http.client
import json
import socket
import ssl
import sys
import urllib.parse

with open(sys.argv[1], encoding="utf-8") as file:
    plan = json.load(file)
origin = urllib.parse.urlsplit(plan["origin"])
context = ssl.create_default_context(cafile=plan["ca"]) if plan["ca"] else None


class Secure(http.client.HTTPSConnection):
    """Names under .localhost are not in every resolver."""

    def connect(self):
        raw = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        self.sock = context.wrap_socket(raw, server_hostname=self.host)


def visit(method, path, upload):
    kind = Secure if context else http.client.HTTPConnection
    connection = kind(origin.hostname, origin.port, timeout=10)
    answer = {"status": 0, "reason": "", "fields": [], "trailers": [], "whole": False}
    body = b""
    try:
        # It takes informational answers for final ones, which end with the connection.
        headers = {"Connection": "close"}
        connection.request(method, path, body=b"x" * upload if upload is not None else None, headers=headers)
        response = connection.getresponse()
        answer.update(status=response.status, reason=response.reason, fields=response.getheaders())
        body = response.read()
        answer["whole"] = True
    except http.client.IncompleteRead as error:
        body = error.partial
    except (OSError, OverflowError, ValueError, http.client.HTTPException):
        pass
    finally:
        connection.close()
    answer["body"] = base64.b64encode(body).decode()
    return answer


def visit_planned(each):
    return visit(each["method"], each["path"], each.get("upload"))


# Each visit has a connection of its own, and mostly waits for its handshakes.
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    for seen in pool.map(visit_planned, plan["visits"]):
        print(json.dumps(seen))
