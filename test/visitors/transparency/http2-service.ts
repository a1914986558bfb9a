import { once } from "node:events";
import http2, { type Http2SecureServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Scope } from "@porthole/testing/end-to-end";
import type { Http2Answer } from "./cases/http2-answers.ts";
import type { Field, SeenRequest } from "./messages.ts";

/** A service that speaks HTTP/2 only, and remembers what has reached it. */
export interface Http2Service {
  readonly port: number;
  /** The requests since the last call. */
  take(): readonly SeenRequest[];
}

export interface Http2ServiceOptions {
  /** By path. Other paths are answered with `ok`. */
  readonly answers: ReadonlyMap<string, Http2Answer>;
  /** With TLS, and without HTTP/1.1 there. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

const plainAnswer: Http2Answer = { status: 200, body: ["ok"] };

export async function startHttp2Service(scope: Scope, { answers, tls }: Http2ServiceOptions): Promise<Http2Service> {
  let seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const options = {
    maxHeaderListPairs: 5_000,
    maxSendHeaderBlockLength: 4_000_000,
    strictSingleValueFields: false,
    settings: { maxHeaderListSize: 1024 * 1024 },
  };
  const server: Http2Server | Http2SecureServer = tls
    ? http2.createSecureServer({ ...options, ...tls, allowHTTP1: false })
    : http2.createServer(options);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
  });
  server.on("sessionError", () => {});
  server.on("stream", (stream: ServerHttp2Stream, _headers: unknown, flags: number, raw: string[]) => {
    void serve(stream, flags, raw);
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

  async function serve(stream: ServerHttp2Stream, flags: number, raw: string[]): Promise<void> {
    stream.on("error", () => {});
    const request = await readRequest(stream, flags, raw);
    seen.push(request);
    give(stream, answers.get(request.target.slice(1)) ?? plainAnswer);
  }
}

async function readRequest(stream: ServerHttp2Stream, flags: number, raw: string[]): Promise<SeenRequest> {
  const head = pairs(raw);
  const pseudo = new Map(head.filter(([name]) => name.startsWith(":")));
  const authority = pseudo.get(":authority");
  const fields = head.filter(([name]) => !name.startsWith(":"));
  let trailers: Field[] = [];
  let body = "";
  let isWhole = false;
  stream.on("trailers", (_headers, _flags, ...rest: unknown[]) => (trailers = pairs(rest[0] as string[])));
  stream.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
  await new Promise<void>((resolve) => {
    stream.on("end", () => {
      isWhole = true;
      resolve();
    });
    stream.on("close", () => resolve());
  });
  const hasLength = fields.some(([name]) => name === "content-length");
  return {
    method: pseudo.get(":method") ?? "",
    target: pseudo.get(":path") ?? "",
    // HTTP/1.1 says it in this way.
    fields: authority === undefined ? fields : [["host", authority], ...fields],
    framing: flags & http2.constants.NGHTTP2_FLAG_END_STREAM ? "none" : hasLength ? "length" : "chunked",
    body,
    trailers,
    end: isWhole ? "whole" : "cut",
  };
}

function give(stream: ServerHttp2Stream, answer: Http2Answer): void {
  const { informs = [], status, fields = [], body, trailers, reset, leaves } = answer;
  const over = (): void => {
    if (leaves) stream.session?.destroy();
    else if (reset) stream.close(http2.constants[`NGHTTP2_${reset}`]);
    else stream.end();
  };
  if (status === undefined) return over();
  for (const inform of informs) stream.additionalHeaders({ ":status": inform.status, ...valuesOf(inform.fields) });
  const head = [":status", String(status), ...fields.flat()];
  const endStream = body === undefined;
  stream.respond(head as never, { endStream, waitForTrailers: trailers !== undefined, sendDate: false } as never);
  if (endStream) return;
  stream.on("wantTrailers", () => stream.sendTrailers(valuesOf(trailers ?? [])));
  for (const part of body) stream.write(part, "latin1");
  if (reset || leaves) stream.write("", over);
  else over();
}

/** Returns names with their values. A name may have several. */
export function valuesOf(fields: readonly Field[]): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (const [name, value] of fields) (result[name] ??= []).push(value);
  return result;
}

export function pairs(raw: readonly string[]): Field[] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? "", raw[2 * index + 1] ?? ""]);
}
