import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { Clock } from "@porthole/common/util";
import { escapeHtml } from "../listeners/escape-html.ts";
import { joinPage, joinPagePolicy } from "./join-page.ts";
import { helloDeadlineMs } from "./limits.ts";

export interface OwnPageOptions {
  readonly clock: Clock;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** A mailto: or https: URI for reports about clients. */
  readonly abuseContact: string | undefined;
}

/** After it a new date is due; RFC 9116 recommends less than a year. */
const securityTextLifetimeMs = 180 * 24 * 3_600_000;
const requestTimeoutMs = 5_000;
const headers = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
  "referrer-policy": "no-referrer",
  "cache-control": "max-age=300",
};

interface Sent {
  readonly method: string | undefined;
  readonly body: string;
  readonly type?: string;
  readonly status?: number;
  readonly policy?: string;
}

/** Path of the page that opens invites in an editor. */
export const joinPath = "/join";

/** The page at the relay's own name: what this is, and where to report a client. Over https with the relay's certificate. */
export class OwnPage {
  readonly #options: OwnPageOptions;
  readonly #server: https.Server;

  constructor(options: OwnPageOptions) {
    this.#options = options;
    const { cert, key } = options;
    this.#server = https.createServer(
      {
        ...{ cert, key, minVersion: "TLSv1.2", handshakeTimeout: requestTimeoutMs },
        ...{ requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs, keepAliveTimeout: requestTimeoutMs },
      },
      (request, response) => this.answer(request, response),
    );
    for (const event of ["tlsClientError", "clientError"])
      this.#server.on(event, (_error: Error, socket: Socket) => void socket.destroy());
  }

  /** For connections from now on. */
  setCertificate({ cert, key }: { readonly cert: string; readonly key: string }): void {
    this.#server.setSecureContext({ cert, key, minVersion: "TLSv1.2" });
  }

  /** Serves a connection that nobody has read yet; it is closed at the deadline at the latest. */
  serve(socket: Socket): void {
    const deadline = this.#options.clock.timer(helloDeadlineMs, () => socket.destroy());
    socket.on("close", () => deadline.cancel());
    socket.allowHalfOpen = false;
    this.#server.emit("connection", socket);
  }

  answer({ method, url = "" }: IncomingMessage, response: ServerResponse): void {
    const [path] = url.split("?");
    if (path === joinPath) return this.#send(response, { method, body: joinPage, policy: joinPagePolicy });
    const isKnown = path === "/" || (path === "/.well-known/security.txt" && this.#options.abuseContact !== undefined);
    const [type, body] =
      path === "/" ? ["text/html", this.#page()] : ["text/plain", isKnown ? this.#securityText() : "Not found\n"];
    this.#send(response, { method, body, type, status: isKnown ? 200 : 404 });
  }

  #send(response: ServerResponse, { method, body, type = "text/html", status = 200, policy }: Sent): void {
    response.writeHead(status, {
      ...headers,
      ...(policy === undefined ? {} : { "content-security-policy": policy }),
      "content-type": `${type}; charset=utf-8`,
      "content-length": Buffer.byteLength(body),
      connection: "close",
    });
    response.end(method === "HEAD" ? undefined : body);
  }

  #page(): string {
    const { abuseContact } = this.#options;
    const contact = abuseContact === undefined ? undefined : escapeHtml(abuseContact);
    const report =
      contact === undefined
        ? "The operator of this relay has named no contact for reports."
        : `Report a site that does harm to <a href="${contact}">${contact.replace(/^mailto:/, "")}</a>, with its full address.`;
    return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>Porthole relay</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:3rem auto;padding:0 1rem}</style>
<h1>This is a Porthole relay</h1>
<p>It gives programs on other machines public names under this domain. What a name shows comes from the machine of
its owner. The connection is encrypted up to that machine: this relay can neither read nor change it.</p>
<p>${report}</p>
</html>
`;
  }

  /** RFC 9116. */
  #securityText(): string {
    const { abuseContact = "", clock } = this.#options;
    const expires = new Date(clock.now() + securityTextLifetimeMs).toISOString();
    return `Contact: ${abuseContact}\nExpires: ${expires}\n`;
  }
}
