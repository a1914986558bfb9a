import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { canonicalHostName } from "@porthole/common/protocol";
import type { Clock } from "@porthole/common/util";
import { helloDeadlineMs } from "./limits.ts";
import { endWith } from "./end-with.ts";
import { joinPath, type OwnPage } from "./own-page.ts";

export interface HttpsRedirectOptions {
  readonly clock: Clock;
  /** Whether visitors may be sent to this (canonical) name: a redirect to any other would be anybody's to use. */
  readonly isServed: (hostname: string) => boolean;
  /** The page at the relay's own names. */
  readonly ownPage: OwnPage;
  readonly ownNames: readonly string[];
  /** The port that visitors are redirected to. */
  readonly publicPort: () => number;
}

/** Redirects plain HTTP to https where the name is served, shows the relay's page at its own names, and says what to do otherwise. */
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

  /** Serves a connection that nobody has read yet; it is closed after one response, or at the deadline. */
  serve(socket: Socket): void {
    const deadline = this.#options.clock.timer(helloDeadlineMs, () => socket.destroy());
    socket.on("close", () => deadline.cancel());
    this.#server.emit("connection", socket);
    socket.resume();
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { ownNames, ownPage } = this.#options;
    const isOwn = ownNames.includes(hostOf(request) ?? "");
    // An invite is a secret, and somebody on the way could change a page over plain HTTP. Browsers keep what is behind the # in a redirect.
    const isJoin = isOwn && (request.url ?? "").split("?", 1)[0] === joinPath;
    if (isOwn && !isJoin) return ownPage.answer(request, response);
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

  #locationFor(request: IncomingMessage): string | undefined {
    const { url = "" } = request;
    const name = hostOf(request);
    const { isServed, ownNames } = this.#options;
    if (name === undefined || !url.startsWith("/") || !(isServed(name) || ownNames.includes(name))) return undefined;
    const port = this.#options.publicPort();
    return `https://${name}${port === 443 ? "" : `:${port}`}${url}`;
  }
}

function hostOf({ headers }: IncomingMessage): string | undefined {
  return canonicalHostName((headers.host ?? "").replace(/:\d+$/, ""));
}

const httpsOnly = "This port speaks HTTPS only. Write https:// in front of the address.\n";
