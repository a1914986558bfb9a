import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { canonicalHostName } from "@porthole/common/protocol";
import type { Clock } from "@porthole/common/util";
import { helloDeadlineMs } from "./limits.ts";
import { endWith } from "./end-with.ts";

export interface HttpsRedirectOptions {
  readonly clock: Clock;
  /** Whether visitors may be sent to this (canonical) name: a redirect to any other would be anybody's to use. */
  readonly isServed: (hostname: string) => boolean;
  /** Where visitors are served. */
  readonly publicPort: () => number;
}

/** Who comes without TLS is sent to https, if the name is one that is served, and is told what to do otherwise. */
export class HttpsRedirect {
  readonly #options: HttpsRedirectOptions;
  readonly #server = http.createServer((request, response) => this.answer(request, response));

  constructor(options: HttpsRedirectOptions) {
    this.#options = options;
    this.#server.on("clientError", (_error, socket) => {
      const head = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n";
      endWith(socket, head + httpsOnly, options.clock);
    });
  }

  /** A connection of which nothing is read; it is closed after one answer, or at the deadline. */
  serve(socket: Socket): void {
    const deadline = this.#options.clock.timer(helloDeadlineMs, () => socket.destroy());
    socket.on("close", () => deadline.cancel());
    this.#server.emit("connection", socket);
    socket.resume();
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const location = this.#locationFor(request);
    const body = location === undefined ? httpsOnly : `${location}\n`;
    response.writeHead(location === undefined ? 400 : 308, {
      "content-type": "text/plain",
      "content-length": Buffer.byteLength(body),
      connection: "close",
      ...(location === undefined ? {} : { location }),
    });
    response.end(body);
  }

  #locationFor({ headers, url = "" }: IncomingMessage): string | undefined {
    const name = canonicalHostName((headers.host ?? "").replace(/:\d+$/, ""));
    if (name === undefined || !url.startsWith("/") || !this.#options.isServed(name)) return undefined;
    const port = this.#options.publicPort();
    return `https://${name}${port === 443 ? "" : `:${port}`}${url}`;
  }
}

const httpsOnly = "This port speaks HTTPS only. Write https:// in front of the address.\n";
