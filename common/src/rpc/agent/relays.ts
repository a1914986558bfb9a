import { PortholeError } from "../../errors.ts";
import { generateKey } from "../../identity/index.ts";
import { parseInvite, type Invite } from "../../invite/index.ts";
import type { Logger } from "../../log.ts";
import { formatHostPort } from "../../options/index.ts";
import { readKey, testRelay, type Dialers, type TransportOutcome } from "../../tunnel/index.ts";
import type { Clock } from "../../util/index.ts";
import type { RelaySpec, TransportTest } from "../contract.ts";
import { rpcErrorData } from "../errors.ts";
import type { Handlers } from "../server.ts";
import { keySource, serverSettings } from "./tunnel-settings.ts";

export interface RelaysContext {
  readonly dialers: Dialers;
  readonly software: string;
  readonly clock: Clock;
  readonly log: Logger;
}

type RelayHandlers = Pick<Handlers, Extract<keyof Handlers, `relay/${string}`>>;

export function relayHandlers(context: RelaysContext): RelayHandlers {
  const { log } = context;
  return {
    "relay/list": () => ({ relays: [] }),
    "relay/add": notYet,
    "relay/remove": notYet,
    "relay/parseInvite": ({ invite }) => ({ relay: invitedRelay(parseInvite(invite)) }),
    "relay/test": async ({ relay, identity }, { signal }) => {
      const server = serverSettings(relay, "relay");
      const key = identity ? await readKey(keySource(identity, "identity"), log) : generateKey();
      const { http2, quic, fingerprint } = await testRelay({ ...context, server, key }, signal);
      return {
        http2: transportTest(http2),
        quic: transportTest(quic),
        ...(fingerprint === undefined ? {} : { fingerprint }),
      };
    },
  };
}

export function invitedRelay({ relay, pin, token }: Invite): RelaySpec {
  return {
    address: formatHostPort(relay),
    token: token.reveal(),
    ...(pin === undefined ? {} : { fingerprint: pin }),
  };
}

function transportTest(outcome: TransportOutcome): TransportTest {
  if (!outcome.ok) return { ok: false, error: rpcErrorData(outcome.error) };
  const { connectMs, rttMs, hostnames } = outcome;
  return { ok: true, connectMs, hostnames, ...(rttMs === undefined ? {} : { rttMs }) };
}

function notYet(): never {
  throw new PortholeError("unavailable", "Relays are not remembered yet", { hint: "Name them with each tunnel." });
}
