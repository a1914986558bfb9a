import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { linesOf, pairsOf, valuesOf, type RawHeaders } from "../../http/index.ts";
import type { Answer, AnswerHead, AnswerRest } from "./visitor.ts";

/** The answer to one request of a visitor who speaks HTTP/1, or what it was upgraded to. */
export class Http1Answer implements Answer {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #upgradeHead: Buffer | undefined;
  #onTrouble: ((error: PortholeError) => void) | undefined;
  #trouble: PortholeError | undefined;
  #hasWritten = false;
  headSent = false;
  isUpgraded = false;

  constructor(request: IncomingMessage, response: ServerResponse, upgradeHead?: Buffer) {
    this.#request = request;
    this.#response = response;
    this.#upgradeHead = upgradeHead;
    response.sendDate = false;
    response.on("error", () => {});
    response.on("close", () => {
      if (!response.writableFinished) this.fail(new PortholeError("aborted", "The visitor left"));
    });
  }

  fail(error: PortholeError): void {
    if (this.#trouble || this.isUpgraded) return;
    this.#trouble = error;
    this.#onTrouble?.(error);
  }

  onTrouble(callback: (error: PortholeError) => void): void {
    this.#onTrouble = callback;
    if (this.#trouble) callback(this.#trouble);
  }

  inform(status: number, headers: RawHeaders): void {
    if (this.#request.httpVersion === "1.0" || this.headSent) return;
    if (status === 100) this.#response.writeContinue();
    else if (status === 103) this.#hint(linksOf(headers));
  }

  #hint(link: string[]): void {
    try {
      this.#response.writeEarlyHints({ link });
    } catch {
      // Node throws at what it takes for no link, and an answer can do without hints.
    }
  }

  start({ status, statusText, headers }: AnswerHead, _rest: AnswerRest): void {
    this.headSent = true;
    if (!this.#request.complete) this.#response.shouldKeepAlive = false;
    this.#response.writeHead(status, statusText || http.STATUS_CODES[status], [...headers]);
    // Together with the first bytes of the body where these are here already, and without them where they are not.
    setImmediate(() => {
      if (!this.#hasWritten && !this.#response.destroyed) this.#response.flushHeaders();
    });
  }

  write(chunk: Buffer): boolean {
    this.#hasWritten = true;
    return this.#response.write(chunk);
  }

  onDrain(callback: () => void): void {
    this.#response.on("drain", callback);
  }

  end(trailers: RawHeaders, callback: () => void): void {
    this.#hasWritten = true;
    if (trailers.length > 0) this.#response.addTrailers(pairsOf(trailers));
    if (this.#response.writableFinished || this.#response.destroyed) return callback();
    this.#response.once("close", callback);
    this.#response.end();
  }

  upgrade({ status, statusText, headers }: AnswerHead): Duplex {
    this.headSent = true;
    this.isUpgraded = true;
    const { socket } = this.#request;
    this.#response.detachSocket(socket);
    socket.write(`HTTP/1.1 ${status} ${statusText}\r\n${linesOf(headers)}\r\n`, "latin1");
    if (this.#upgradeHead?.length) socket.unshift(this.#upgradeHead);
    return socket;
  }

  breakOff(error: PortholeError): void {
    this.#request.socket.destroy(error);
  }
}

/** Early hints are links, and little else is of use before the answer. A field may have several (RFC 8288 3). */
function linksOf(headers: RawHeaders): string[] {
  return valuesOf(headers, "link").flatMap((value) => value.split(/,\s*(?=<)/));
}
