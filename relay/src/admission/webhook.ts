import { randomUUID } from "node:crypto";
import { PortholeError } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";
import type { AdmissionRequest, Authorize } from "./admission-request.ts";
import { malformedAnswer, signedPost, type WebhookAnswer, type WebhookSettings } from "./signed-post.ts";

const maxMessageLength = 200;
const maxAtOnce = 100;

/**
 * Asks a program of the operator's by HTTP POST: docs/admission.md has the request and its signature. Only a 200 with a JSON object
 * whose `allow` is true lets a client in. `allow: false` is `unauthorized`, everything else an error of another code.
 */
export function webhookAuthorize(settings: WebhookSettings, clock: Clock): Authorize {
  let asking = 0;
  return async (request, signal) => {
    if (asking >= maxAtOnce) throw new PortholeError("busy", "this relay has too many clients to ask about at once");
    asking += 1;
    try {
      checkAnswer(await signedPost(settings, JSON.stringify(question(request)), clock, signal));
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

function checkAnswer(answer: WebhookAnswer): void {
  if (answer.status !== 200) throw malformedAnswer(`it has the status ${answer.status}`);
  let value: unknown;
  try {
    value = JSON.parse(answer.body);
  } catch {
    throw malformedAnswer("it is not JSON");
  }
  const { allow, message } = Object(value) as { readonly allow?: unknown; readonly message?: unknown };
  if (allow === true) return;
  if (allow !== false) throw malformedAnswer("it has no allow that is true or false");
  const reason = typeof message === "string" && message !== "" ? message.slice(0, maxMessageLength) : undefined;
  throw new PortholeError("unauthorized", reason ?? "this relay does not let you in", {
    hint: "Ask the relay's operator.",
  });
}
