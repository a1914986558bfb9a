/** Sends the requests of a file with node:http or fetch, and prints an answer on each line. */
import dns from "node:dns";
import { readFileSync } from "node:fs";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";

interface Plan {
  readonly origin: string;
  readonly visits: readonly { readonly method: string; readonly path: string; readonly upload?: number }[];
}

const [, , how, file = ""] = process.argv;
const { origin, visits } = JSON.parse(readFileSync(file, "utf8")) as Plan;

// Names under .localhost are not in every resolver.
const { lookup } = dns;
Object.assign(dns, {
  lookup: (_name: string, ...rest: [object, () => void]) =>
    (lookup as (...args: unknown[]) => void)("127.0.0.1", ...rest),
});

for (const { method, path, upload } of visits) {
  const body = upload === undefined ? undefined : "x".repeat(upload);
  const answer = how === "fetch" ? await byFetch(method, path, body) : await byHttp(method, path, body);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function byFetch(method: string, path: string, body: string | undefined): Promise<object> {
  const nothing = { status: 0, reason: "", fields: [], body: "", trailers: [], whole: false };
  try {
    const signal = AbortSignal.timeout(10_000);
    const init = { method, redirect: "manual" as const, signal, ...(body === undefined ? {} : { body }) };
    const response = await fetch(origin + path, init);
    const head = { ...nothing, status: response.status, reason: response.statusText, fields: [...response.headers] };
    const read = await response.arrayBuffer().catch(() => undefined);
    return read ? { ...head, body: Buffer.from(read).toString("base64"), whole: true } : head;
  } catch {
    return nothing;
  }
}

function byHttp(method: string, path: string, body: string | undefined): Promise<object> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let message: IncomingMessage | undefined;
    const done = (whole: boolean): void =>
      resolve({
        status: message?.statusCode ?? 0,
        reason: message?.statusMessage ?? "",
        fields: pairs(message?.rawHeaders ?? []),
        body: Buffer.concat(chunks).toString("base64"),
        trailers: pairs(message?.rawTrailers ?? []),
        whole,
      });
    const { request } = origin.startsWith("https:") ? https : http;
    const headers = body === undefined ? {} : { "content-length": body.length };
    const sent = request(origin + path, { method, agent: false, timeout: 10_000, headers }, (received) => {
      message = received;
      received.on("data", (chunk: Buffer) => chunks.push(chunk));
      received.on("end", () => done(received.complete));
      received.on("error", () => done(false));
    });
    sent.on("error", () => done(false)).on("timeout", () => sent.destroy());
    sent.end(body);
  });
}

function pairs(raw: readonly string[]): string[][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => raw.slice(2 * index, 2 * index + 2));
}
