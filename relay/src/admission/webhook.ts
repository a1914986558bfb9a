import { createHmac, randomUUID } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { PortholeError } from "@porthole/common/errors";
import { withDeadline, type Clock, type Secret } from "@porthole/common/util";
import type { AdmissionRequest, Authorize } from "./admission-request.ts";

export interface WebhookSettings {
  readonly url: string;
  readonly secret: Secret;
}

export const webhookDeadlineMs = 5_000;
const maxAnswerBytes = 16 * 1024;
const maxMessageLength = 200;
const maxAtOnce = 100;

/**
 * Asks a program of the operator's by HTTP POST: docs/admission.md has the request and its signature. Only a 200 with a JSON object
 * whose `allow` is true lets a client in. `allow: false` is `unauthorized`, everything else an error of another code.
 */
export function webhookAuthorize({ url, secret }: WebhookSettings, clock: Clock): Authorize {
  let asking = 0;
  return async (request, parent) => {
    if (asking >= maxAtOnce) throw new PortholeError("busy", "this relay has too many clients to ask about at once");
    asking += 1;
    try {
      const body = JSON.stringify(question(request));
      const timestamp = Math.floor(clock.now() / 1_000);
      const signature = createHmac("sha256", secret.reveal()).update(`${timestamp}.${body}`).digest("hex");
      const headers = {
        "Content-Type": "application/json",
        "Content-Length": Buffer.byteLength(body),
        Accept: "application/json",
        "Porthole-Signature": `t=${timestamp},v1=${signature}`,
      };
      const answer = await withDeadline(
        { clock, delayMs: webhookDeadlineMs, what: "The webhook's answer", signal: parent },
        (signal) => post(url, body, headers, signal),
      );
      checkAnswer(answer);
    } finally {
      asking -= 1;
    }
  };
}

function question({ peer, owner, address, suffix, name }: AdmissionRequest) {
  return {
    version: 1,
    id: randomUUID(),
    clientId: peer.clientId,
    fingerprint: peer.fingerprint,
    /** SubjectPublicKeyInfo, DER. */
    key: peer.spki.toString("base64"),
    extension: peer.extension?.toString("hex") ?? null,
    owner: owner ? { clientId: owner.clientId, fingerprint: owner.fingerprint } : null,
    name: name ?? null,
    suffix,
    address,
  };
}

function checkAnswer(answer: Answer): void {
  if (answer.status !== 200) throw malformed(`it answered with status ${answer.status}`);
  let value: unknown;
  try {
    value = JSON.parse(answer.body);
  } catch {
    throw malformed("its answer is not JSON");
  }
  const { allow, message } = Object(value) as { readonly allow?: unknown; readonly message?: unknown };
  if (allow === true) return;
  if (allow !== false) throw malformed("its answer has no allow that is true or false");
  const reason = typeof message === "string" && message !== "" ? message.slice(0, maxMessageLength) : undefined;
  throw new PortholeError("unauthorized", reason ?? "this relay does not let you in", {
    hint: "Ask the relay's operator.",
  });
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A connection of its own for each question, so that none is left open; redirects are answers like others. */
async function post(
  url: string,
  body: string,
  headers: http.OutgoingHttpHeaders,
  signal: AbortSignal,
): Promise<Answer> {
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
    if (length > maxAnswerBytes) throw malformed(`its answer is longer than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function malformed(what: string): PortholeError {
  return new PortholeError("protocol", `The webhook's answer can't be used: ${what}`);
}
