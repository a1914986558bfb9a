import { createHmac } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { PortholeError } from "@porthole/common/errors";
import { withDeadline, type Clock, type Secret } from "@porthole/common/util";

/** A program of the operator's, and the secret that signs what it gets. */
export interface WebhookSettings {
  readonly url: string;
  readonly secret: Secret;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly body: string;
}

/** The deadline from the connection to the end of the answer. */
export const webhookDeadlineMs = 5_000;
const maxAnswerBytes = 16 * 1024;

/**
 * Sends a JSON body with its signature by POST, on a connection of its own so that none is left open; redirects are answers like
 * others. Rejects with `unreachable`, `timeout`, or `protocol` when the answer is longer than 16 KiB. docs/admission.md has the signature.
 */
export async function signedPost(
  { url, secret }: WebhookSettings,
  body: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const timestamp = Math.floor(clock.now() / 1_000);
  const signature = createHmac("sha256", secret.reveal()).update(`${timestamp}.${body}`).digest("hex");
  const headers = {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
    Accept: "application/json",
    "Porthole-Signature": `t=${timestamp},v1=${signature}`,
  };
  return withDeadline({ clock, delayMs: webhookDeadlineMs, what: "The webhook's answer", signal }, (within) =>
    post(url, body, headers, within),
  );
}

async function post(
  url: string,
  body: string,
  headers: http.OutgoingHttpHeaders,
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const { request } = new URL(url).protocol === "https:" ? https : http;
  try {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const outgoing = request(url, { method: "POST", headers, signal, agent: false }, resolve);
      outgoing.on("error", reject);
      outgoing.end(body);
    });
    return { status: response.statusCode ?? 0, body: await read(response) };
  } catch (cause) {
    if (cause instanceof PortholeError) throw cause;
    throw new PortholeError("unreachable", `The webhook can't be asked: ${(cause as Error).message}`, { cause });
  }
}

async function read(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw malformedAnswer(`it is longer than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Returns the `protocol` error for a webhook's answer that can't be used. */
export function malformedAnswer(what: string): PortholeError {
  return new PortholeError("protocol", `The webhook's answer can't be used: ${what}`);
}
