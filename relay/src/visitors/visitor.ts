import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { answerChallenge } from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import {
  ClientHelloReader,
  alpn,
  canonicalHostName,
  encodeAlert,
  encodeProxyHeader,
  splitPublicName,
  tlsAlert,
  type ClientHello,
} from "@porthole/common/protocol";
import type { Clock } from "@porthole/common/util";
import type { StartupGrace } from "./startup-grace.ts";
import { helloDeadlineMs } from "./limits.ts";
import { addressesOf } from "../listeners/addresses-of.ts";
import type { Fallback } from "./fallback.ts";
import { endWith } from "./end-with.ts";
import type { OwnPage } from "./own-page.ts";
import type { HttpsRedirect } from "./https-redirect.ts";
import type { VisitorSlot, VisitorGate } from "../limits/index.ts";
import type { Metrics, VisitorOutcome } from "../monitoring/metrics.ts";
import { placeChallenge } from "./challenge-placement.ts";
import { placeVisitor } from "./placement.ts";
import type { Places } from "./place.ts";

export interface VisitorDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly gate: VisitorGate;
  readonly places: Places;
  readonly startupGrace: StartupGrace;
  /** Allowed suffixes; empty allows any. */
  readonly suffixes: readonly string[];
  /** This port is for the CA's challenges only. */
  readonly challengesOnly: boolean;
  /** Takes connections to the relay itself, where one port serves clients, too. */
  readonly onClient?: ((socket: Socket) => void) | undefined;
  readonly ownNames: readonly string[];
  /** Takes visitors of names that are neither a client's nor the relay's. */
  readonly fallback?: Fallback | undefined;
  /** Takes visitors of the relay's own names. */
  readonly ownPage: OwnPage;
  /** Takes connections without TLS. */
  readonly redirect: HttpsRedirect;
  /** Returns the TLS context for an authority's validator of the relay's own name. Undefined while no challenge is open. */
  ownChallenge(name: string): SecureContext | undefined;
  readonly signal: AbortSignal;
}

/** Whether a visitor's connection may come from there now; asked once for each. */
export function admitsVisitor(address: string | undefined, { gate, metrics }: VisitorDeps): boolean {
  const isAdmitted = gate.admits(address);
  if (!isAdmitted) metrics.visitor("limited");
  return isAdmitted;
}

/** The connection of a visitor who was admitted: reads the ClientHello, finds the client, and from then on only carries bytes. */
export function serveVisitor(socket: Socket, deps: VisitorDeps): void {
  socket.on("error", () => {});
  const slot = deps.gate.enter(addressesOf(socket).remote.address, () => socket.destroy());
  socket.on("close", () => slot.left());
  readHello({ socket, slot, trace: randomBytes(8).toString("hex") }, deps);
}

interface Visitor {
  readonly socket: Socket;
  readonly slot: VisitorSlot;
  /** Names the visitor in our log and the client's. */
  readonly trace: string;
}

function readHello(visitor: Visitor, deps: VisitorDeps): void {
  const { socket, slot, trace } = visitor;
  const reader = new ClientHelloReader();
  const deadline = deps.clock.timer(helloDeadlineMs, () => {
    deps.log.debug({ trace }, "A visitor sent no whole ClientHello in time");
    giveUp("timeout");
  });
  socket.on("close", onLeft);
  socket.on("data", onData);
  socket.on("end", onLeft);
  // Behind a balancer it was paused after the PROXY header.
  socket.resume();

  function stopReading(): void {
    // Whatever comes now waits in the socket until somebody reads it.
    socket.pause();
    socket.off("data", onData);
    socket.off("end", onLeft);
    socket.off("close", onLeft);
    deadline.cancel();
    slot.heard();
  }

  function onLeft(): void {
    giveUp("left");
  }

  function giveUp(outcome: VisitorOutcome): void {
    stopReading();
    deps.metrics.visitor(outcome);
    socket.destroy();
  }

  function onData(chunk: Buffer): void {
    const result = reader.push(chunk);
    if (result.status === "more") return;
    stopReading();
    if (result.status === "hello") {
      const { hello } = result;
      onceServed(visitor, hello, deps, () => deps.metrics.visitor(route(visitor, reader.bytes, hello, deps)));
    } else if (result.plainHttp) {
      deps.metrics.visitor("plain-http");
      socket.unshift(reader.bytes);
      deps.redirect.serve(socket);
    } else {
      deps.metrics.visitor("malformed");
      refuse(socket, result.alert, result.reason, trace, deps);
    }
  }
}

/** Now, or when the client is back that is probably about to be: see StartupGrace. */
function onceServed({ socket }: Visitor, { serverName = "" }: ClientHello, deps: VisitorDeps, go: () => void): void {
  const hostname = publicName(serverName, deps);
  if (hostname === undefined || deps.places.find(hostname).length > 0) return go();
  const stop = deps.startupGrace.wait(hostname, () => {
    if (!socket.destroyed) go();
  });
  if (stop) socket.on("close", stop);
  else go();
}

function route(visitor: Visitor, bytes: Buffer, hello: ClientHello, deps: VisitorDeps): VisitorOutcome {
  const { socket, slot, trace } = visitor;
  const { serverName } = hello;
  const isChallenge = hello.alpnProtocols.length === 1 && hello.alpnProtocols[0] === alpn.acmeChallenge;
  const own = isChallenge && serverName !== undefined ? deps.ownChallenge(serverName) : undefined;
  if (own) {
    socket.allowHalfOpen = false;
    socket.unshift(bytes);
    const answered = answerChallenge(socket, own, deps);
    answered.catch((reason: unknown) => deps.log.debug({ trace }, PortholeError.from(reason).message));
    return "challenge";
  }
  const hostname = publicName(serverName, deps);
  const isClients = deps.onClient !== undefined && isForRelay(hello, hostname !== undefined);
  // Beside another server a name says whose the visitor is; without one only a client is ours.
  if (deps.fallback && hostname === undefined && !isOwnName(serverName, deps) && !(isClients && !serverName)) {
    deps.fallback.serve(socket, { hello: bytes, serverName, trace });
    return "fallback";
  }
  if (deps.onClient && isClients) {
    socket.unshift(bytes);
    slot.left();
    deps.onClient(socket);
    return "client";
  }
  if (deps.challengesOnly && !isChallenge) {
    refuse(socket, tlsAlert.noApplicationProtocol, "Only the CA's challenges are answered here", trace, deps);
    return "unknown-name";
  }
  // A challenge for the relay's name is answered above, or by nobody.
  if (!isChallenge && isOwnName(serverName, deps)) {
    socket.unshift(bytes);
    deps.ownPage.serve(socket);
    return "own-page";
  }
  if (hostname === undefined) {
    refuse(socket, tlsAlert.unrecognizedName, "A visitor asked for no name of ours", trace, deps);
    return "unknown-name";
  }
  if (deps.places.find(hostname).length > 0 && !slot.mayVisit(hostname)) {
    refuse(socket, tlsAlert.internalError, `${hostname} has too many visitors`, trace, deps);
    return "limited";
  }
  const addresses = addressesOf(socket);
  const header = encodeProxyHeader({
    source: addresses.remote,
    destination: addresses.local,
    authority: hostname,
    uniqueId: trace,
    // The client has to know before TLS begins which certificate to show.
    ...(isChallenge ? { alpn: alpn.acmeChallenge } : {}),
  });
  const outcome = lead(visitor, { hostname, opening: [header, bytes], isChallenge }, deps);
  if (outcome === "forwarded") deps.metrics.traffic.add(socket);
  return outcome;
}

interface Destination {
  readonly hostname: string;
  readonly opening: readonly Buffer[];
  readonly isChallenge: boolean;
}

function lead(visitor: Visitor, destination: Destination, deps: VisitorDeps): "forwarded" | "full" | "unknown-name" {
  const { socket, trace } = visitor;
  const { hostname, opening, isChallenge } = destination;
  const { places, clock, log, startupGrace } = deps;
  const refuseUnknown = (): void =>
    refuse(socket, tlsAlert.unrecognizedName, `No client serves ${hostname}`, trace, deps);
  const place = isChallenge ? placeChallenge : placeVisitor;
  const outcome = place(socket, {
    ...{ hostname, opening, places, clock, log, trace },
    onDeclined() {
      // A client that another relay has just lost may be on its way to the next one.
      const stop = startupGrace.wait(hostname, () => {
        if (!socket.destroyed) lead(visitor, destination, deps);
      });
      if (stop) socket.on("close", stop);
      else refuseUnknown();
    },
  });
  if (outcome === "unknown-name") refuseUnknown();
  else if (outcome === "full")
    refuse(socket, tlsAlert.internalError, `The client of ${hostname} has no room`, trace, deps);
  return outcome;
}

/** The canonical name if a client may have it: under one of the suffixes, and none of the relay's own names. */
function publicName(serverName: string | undefined, { suffixes, ownNames }: VisitorDeps): string | undefined {
  const name = serverName === undefined ? undefined : splitPublicName(serverName, suffixes);
  if (!name) return undefined;
  const hostname = `${name.label}.${name.suffix}`;
  return ownNames.includes(hostname) ? undefined : hostname;
}

function isOwnName(serverName: string | undefined, { ownNames }: VisitorDeps): boolean {
  return serverName !== undefined && ownNames.includes(canonicalHostName(serverName) ?? "");
}

/** Only clients offer HTTP/2 and nothing else; they know the relay by a name of its own, by any other, or by its address. */
function isForRelay({ alpnProtocols }: ClientHello, isPublicName: boolean): boolean {
  return !isPublicName && alpnProtocols.length === 1 && alpnProtocols[0] === alpn.http2;
}

function refuse(socket: Socket, alert: number, reason: string, trace: string, deps: VisitorDeps): void {
  deps.log.debug({ trace, alert }, reason);
  endWith(socket, encodeAlert(alert), deps.clock);
}
