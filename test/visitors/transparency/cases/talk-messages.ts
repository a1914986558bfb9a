import type { Step, TalkCase, TalkCases } from "./talk-case.ts";

export const ok = "HTTP/1.1 200 OK\r\n";
export const hello = `${ok}Content-Length: 5\r\n\r\nhello`;
export const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
export const get = "GET /TALK HTTP/1.1\r\nHost: NAME\r\n\r\n";
export const upgrade =
  "GET /TALK HTTP/1.1\r\nHost: NAME\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
export const switching =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n";

/** The visitor sends a text, and the service gets it. */
export function arrives(text: string): readonly Step[] {
  return [
    ["visitor", "sends", text],
    ["service", "sees", text],
  ];
}

/** Conversations of raw bytes. `alpn` is offered in the TLS handshake. */
export function http1(cases: Readonly<Record<string, readonly Step[]>>, alpn?: readonly string[]): TalkCases {
  return Object.fromEntries(
    Object.entries(cases).map(([name, steps]): [string, TalkCase] => [
      name,
      { steps, only: "HTTP/1.1", ...(alpn ? { alpn } : {}) },
    ]),
  );
}
