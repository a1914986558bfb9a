import { randomBytes } from "node:crypto";
import type { IssuanceQuotas } from "../certificates/issuance-quotas.ts";
import { PortholeError } from "@porthole/common/errors";
import { createLink, type TransportConnection, type Link } from "@porthole/common/link";
import type { Logger } from "@porthole/common/log";
import { limits } from "@porthole/common/protocol";
import { deadline, withDeadline } from "@porthole/common/util";
import type { PendingClient } from "../limits/index.ts";
import type { RecordEvent } from "../monitoring/events.ts";
import type { Metrics } from "../monitoring/metrics.ts";
import { admitClient, type AdmissionDeps, type Admitted } from "./admit-client.ts";
import { LinkNames, offerNames } from "./link-names.ts";
import { refuse } from "./refuse.ts";
import type { Registry } from "./registry.ts";

export interface ClientSessionDeps extends AdmissionDeps {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly record: RecordEvent;
  readonly registry: Registry;
  /** Shares out what the certificate authority gives to all names under our domain. */
  readonly quotas: IssuanceQuotas;
  readonly signal: AbortSignal;
}

/** A client's connection from its handshake to its end. Never rejects. */
export async function serveClient(
  connection: TransportConnection,
  pendingClient: PendingClient,
  deps: ClientSessionDeps,
): Promise<void> {
  const { clock, metrics, record, signal } = deps;
  const link = createLink(connection, { clock, heartbeat: "watch" });
  const id = randomBytes(4).toString("hex");
  const from = { link: id, transport: link.kind, address: link.remote.address };
  const offer = offerNames();
  let admitted: Admitted;
  try {
    const attempt = { link, id, pendingClient, names: offer };
    const outcome = await withDeadline(
      { clock, delayMs: limits.admissionDeadlineMs, what: "The client's hello", signal },
      (deadline) => admitClient(attempt, deps, deadline),
    );
    if (!outcome) return await endTest(link, pendingClient, deps);
    admitted = outcome;
  } catch (reason) {
    const error = PortholeError.from(reason);
    pendingClient.end(error);
    metrics.clientRefused(error.code);
    deps.log.info({ ...from, code: error.code }, `Refused a client: ${error.message}`);
    record({ type: "refused", ...from, code: error.code, reason: error.message });
    await refuse(link, error);
    return;
  }
  const { client } = admitted;
  const known = { ...from, client: client.clientId, ...(client.label === undefined ? {} : { label: client.label }) };
  const names = new LinkNames({ ...deps, admitted, offer, pendingClient });
  metrics.clientAdmitted(link.kind);
  deps.log.info(known, "Client connected");
  record({ type: "connected", ...known, names: client.hostnames });
  const watching = watchControl(admitted, names, deps);
  const drain = (): void => void sendAway(link, signal.reason);
  if (signal.aborted) drain();
  signal.addEventListener("abort", drain, { once: true });
  const ended = await link.closed;
  // Its last word explains the end better than the transport does.
  const reason = (await watching) ?? ended;
  signal.removeEventListener("abort", drain);
  names.close();
  pendingClient.end(reason);
  metrics.linkEnded(link.kind, reason.code);
  deps.log.info({ ...known, code: reason.code }, `Client disconnected: ${reason.message}`);
  record({ type: "disconnected", ...known, code: reason.code, reason: reason.message });
}

/** A client that only tries the relay out has its answer, and leaves; it is nobody's destination. */
async function endTest(link: Link, pendingClient: PendingClient, { clock, signal }: ClientSessionDeps): Promise<void> {
  const over = new PortholeError("aborted", "The client only tried the relay out");
  const { release, signal: within } = deadline(clock, limits.admissionDeadlineMs, "The end of a test", signal);
  const cutOff = (): void => link.destroy(PortholeError.from(within.reason));
  within.addEventListener("abort", cutOff, { once: true });
  try {
    let message = await link.control.next();
    while (message && message.type !== "goodbye") message = await link.control.next();
    if (message) await link.close(over);
    await link.closed;
  } finally {
    within.removeEventListener("abort", cutOff);
    release();
    pendingClient.end(over);
  }
}

/** The relay stops: the client learns that it was no accident. */
async function sendAway(link: Link, reason: unknown): Promise<void> {
  const error = PortholeError.from(reason);
  link.control.send({ type: "drain", reason: error.message, deadlineMs: 0 });
  await link.close(error);
}

/** Serves a client's messages after the welcome. Resolves at the end of the link, with the goodbye if there was one. */
async function watchControl(
  admitted: Admitted,
  names: LinkNames,
  deps: ClientSessionDeps,
): Promise<PortholeError | undefined> {
  const { client } = admitted;
  const { link } = client;
  let goodbye: PortholeError | undefined;
  for (let message = await link.control.next(); message; message = await link.control.next()) {
    switch (message.type) {
      case "goodbye":
        names.retire();
        goodbye = new PortholeError("closed", `The client said goodbye: ${message.reason}`);
        void sayGoodbye(link, goodbye);
        break;
      case "issuance-request":
        void grantIssuance(admitted, names, message.hostname, deps);
        break;
      case "expose":
        names.expose(message);
        break;
      case "unexpose":
        names.unexpose(message.clientId);
        break;
      case "ticket-request": {
        const holder = { fingerprint: client.fingerprint, address: link.remote.address };
        const ticket = deps.ticket(holder, message.anywhere ?? false);
        link.control.send(ticket ? { type: "ticket", ticket } : { type: "ticket" });
        break;
      }
      case "hello":
      case "welcome":
      case "reject":
      case "drain":
      case "instances":
      case "issuance":
      case "ticket":
      case "exposed":
        link.destroy(new PortholeError("protocol", `The client sent ${message.type} in the middle of a session`));
        return undefined;
    }
  }
  return goodbye;
}

/** The visitors that are there finish first. */
async function sayGoodbye(link: Link, reason: PortholeError): Promise<void> {
  await link.idle();
  await link.close(reason);
}

async function grantIssuance(
  { client: { link, id } }: Admitted,
  names: LinkNames,
  hostname: string,
  deps: ClientSessionDeps,
): Promise<void> {
  const client = names.clientOf(hostname);
  const about = { link: id, client: client?.clientId, hostname };
  try {
    if (!client) throw new PortholeError("name", `${hostname} is not a name of this client`);
    await deps.quotas.take(hostname, client.owner);
    const { all, own } = await deps.quotas.left(client.owner);
    deps.log.info({ ...about, left: all }, "Gave a quota to order a certificate");
    link.control.send({ type: "issuance", hostname, left: own });
  } catch (reason) {
    const { code, message, retryAfterMs } = PortholeError.from(reason);
    deps.log.warn({ ...about, code, retryAfterMs }, `No quota: ${message}`);
    link.control.send({
      type: "issuance",
      hostname,
      code,
      message,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
}
