import { once } from "node:events";
import net, { type AddressInfo, type Server, type Socket } from "node:net";
import tls from "node:tls";
import type { Scope } from "@porthole/testing/end-to-end";
import type { AnswerCase } from "./cases/answer-case.ts";
import { readHead, readRequest } from "./http1.ts";
import type { SeenRequest } from "./messages.ts";

/** A service that answers with exact bytes, and remembers what has reached it. */
export interface RawService {
  readonly port: number;
  /** The requests since the last call. */
  take(): readonly SeenRequest[];
}

export interface RawServiceOptions {
  /** By the path of the request, without its route. Other paths are answered with `ok`. */
  readonly answers: ReadonlyMap<string, AnswerCase>;
  readonly tls?: tls.TlsOptions;
}

/** Below it every answer ends its connection: some programs wait for that where they have not understood a length. */
export const closingPath = "/closing/";
const plainAnswer: AnswerCase = { bytes: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" };

export async function startRawService(scope: Scope, { answers, tls: secure }: RawServiceOptions): Promise<RawService> {
  let seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const server: Server = secure
    ? tls.createServer({ ...secure, allowHalfOpen: true, noDelay: true })
    : net.createServer({ allowHalfOpen: true, noDelay: true });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
  });
  // A reset is one of TCP, below TLS.
  server.on(secure ? "secureConnection" : "connection", (socket: Socket) => {
    const below = [...sockets].find(({ remotePort }) => remotePort === socket.remotePort) ?? socket;
    socket.on("error", () => {});
    serve(socket, answers, {
      onRequest: (request) => seen.push(request),
      reset: () => below.resetAndDestroy(),
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  scope.defer(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  });
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = seen;
      seen = [];
      return taken;
    },
  };
}

function serve(
  socket: Socket,
  answers: ReadonlyMap<string, AnswerCase>,
  { onRequest, reset }: { readonly onRequest: (request: SeenRequest) => void; readonly reset: () => void },
): void {
  let text = "";
  let isEnded = false;
  let isOver = false;
  const look = (): void => {
    while (!isOver) {
      const early = earlyAnswer(text, answers);
      const read = readRequest(text, isEnded);
      if (!early && !read) return;
      if (read) onRequest(read.request);
      text = read ? text.slice(read.size) : "";
      const answer = early ?? answerTo(read?.request.target ?? "", answers);
      isOver = answer.end !== undefined;
      if (early) socket.pause();
      give(socket, answer, reset);
    }
  };
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    look();
  });
  socket.on("end", () => {
    isEnded = true;
    if (text !== "") look();
    if (!isOver) socket.end();
  });
}

/** The answer of a service that does not wait for the body. */
function earlyAnswer(text: string, answers: ReadonlyMap<string, AnswerCase>): AnswerCase | undefined {
  const head = readHead(text);
  const answer = head && answerTo(head.start.split(" ")[1] ?? "", answers);
  return answer?.early ? answer : undefined;
}

function answerTo(target: string, answers: ReadonlyMap<string, AnswerCase>): AnswerCase {
  const path = /^(?:https?:\/\/[^/]*)?([^?]*)/.exec(target)?.[1] ?? "";
  const answer = answers.get(path.slice(path.lastIndexOf("/") + 1)) ?? plainAnswer;
  return path.startsWith(closingPath) ? { end: "close", ...answer } : answer;
}

function give(socket: Socket, { bytes, end, early }: AnswerCase, reset: () => void): void {
  socket.write(bytes, "latin1", () => {
    // The rest of the request is unread, so the system resets the connection.
    if (early) socket.destroy();
    else if (end === "close") socket.end();
    else if (end === "reset") reset();
  });
}
