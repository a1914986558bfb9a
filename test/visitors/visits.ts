import { once } from "node:events";
import http2, { type ClientHttp2Session, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import type { TLSSocket } from "node:tls";
import { connectVisitor, readAll, soon, type Scope, type Site } from "@porthole/testing/end-to-end";

/** A visitor's HTTP/2 connection. Unlike a browser Node offers nothing else. */
export async function connectHttp2(
  scope: Scope,
  site: Site,
  options: http2.SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = http2.connect(site.origin, {
    host: "127.0.0.1",
    servername: site.hostname,
    ca: site.ca,
    ...options,
    // Names under .localhost lead to this machine in browsers, but not in every resolver.
    lookup: (_name: string, _options: unknown, callback: (error: null, address: string, family: number) => void) =>
      callback(null, "127.0.0.1", 4),
  } as http2.SecureClientSessionOptions);
  session.on("error", () => {});
  scope.defer(() => session.destroy());
  await soon(once(session, "remoteSettings"), "an HTTP/2 connection");
  return session;
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
}

/** Rejects when the stream is reset, or ends without an answer. */
export async function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Http2Answer> {
  const stream = session.request(headers, { endStream: body === undefined });
  let trailers: IncomingHttpHeaders = {};
  stream.on("trailers", (received) => (trailers = received));
  const answered = new Promise<IncomingHttpHeaders & { ":status"?: number }>((resolve, reject) => {
    stream.on("response", resolve);
    stream.on("error", reject);
    stream.on("close", () => reject(new Error(`Closed with ${stream.rstCode}`)));
  });
  answered.catch(() => {});
  if (body !== undefined) stream.end(body);
  // Node drops what nobody has begun to read when a stream is closed.
  const whole = readAll(stream);
  whole.catch(() => {});
  const head = await soon(answered, `an answer to ${String(headers[":path"])}`);
  const text = (await soon(whole, "the body")).toString();
  return { status: head[":status"] ?? 0, headers: head, body: text, trailers };
}

/** Sends bytes as they are on a connection of HTTP/1.1, and reads until the end, which the other side has to bring. */
export async function say(scope: Scope, site: Site, bytes: string | Buffer): Promise<string> {
  const visitor = await connectVisitor(scope, site, { alpn: ["http/1.1"] });
  visitor.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  return heard(visitor);
}

/** Until the end; a connection that breaks off has said what it has said. */
export async function heard(visitor: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  visitor.on("data", (chunk: Buffer) => chunks.push(chunk));
  visitor.on("error", () => {});
  await soon(
    new Promise<void>((resolve) => {
      visitor.on("end", resolve);
      visitor.on("close", () => resolve());
    }),
    () => `the end after ${Buffer.concat(chunks).toString("latin1").slice(0, 200)}`,
  );
  visitor.end();
  return Buffer.concat(chunks).toString("latin1");
}
