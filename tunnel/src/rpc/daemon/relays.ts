import { PortholeError } from "@porthole/common/errors";
import { generateKey } from "@porthole/common/identity";
import { parseInvite, type Invite, type JoinedRelay, type JoinedRelays } from "@porthole/common/invite";
import type { Logger } from "@porthole/common/log";
import { formatHostPort, type HostPort } from "@porthole/common/options";
import { readKey, testRelay, type Dialers } from "../../tunnel/index.ts";
import type { Clock } from "@porthole/common/util";
import { asData } from "../contract/as-data.ts";
import type { RelaySpec } from "../contract/index.ts";
import type { Handlers } from "../server.ts";
import { provideKeys, type ExternalKeys } from "./external-keys.ts";
import { keySource, readRelay, serverSettings } from "./tunnel-settings.ts";

export interface RelaysContext {
  readonly dialers: Dialers;
  readonly software: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly joined: JoinedRelays;
  readonly externalKeys: ExternalKeys;
}

type RelayHandlers = Pick<Handlers, Extract<keyof Handlers, `relay/${string}`>>;

export function relayHandlers(context: RelaysContext): RelayHandlers {
  const { dialers, software, clock, log, joined, externalKeys } = context;
  return {
    "relay/list": () => ({ relays: joined.all.map((relay) => describedRelay(relay)) }),
    async "relay/add"(params) {
      const relay = "relay" in params ? readRelay(params.relay, "relay") : invited(parseInvite(params.invite));
      await joined.add(relay);
      return { relay: describedRelay(relay) };
    },
    async "relay/remove"({ address }) {
      if (await joined.remove(readRelay({ address }, "relay"))) return {};
      throw new PortholeError("usage", `The relay ${JSON.stringify(address)} is not remembered`, {
        hint: "relay/list says which are.",
      });
    },
    "relay/parseInvite": ({ invite }) => {
      const { token, ...relay } = invited(parseInvite(invite));
      return { relay: { ...describedRelay(relay), token: token.reveal() } };
    },
    "relay/test": async ({ relay, identity }, { signal, holder }) => {
      provideKeys(externalKeys, { identity }, holder);
      const { token, ...server } = serverSettings(relay, "relay", joined);
      // A key that is thrown away must not use an invite up.
      const own = identity
        ? { token, key: await readKey(keySource(identity, "identity", externalKeys), log) }
        : undefined;
      const { http2, quic, fingerprint } = await testRelay(
        {
          ...{ dialers, software, clock, log },
          server: { ...server, token: own?.token },
          key: own?.key ?? generateKey(),
        },
        signal,
      );
      return {
        http2: asData(http2),
        quic: asData(quic),
        ...(fingerprint === undefined ? {} : { fingerprint }),
      };
    },
  };
}

/** The relay knows our key now. Failing to write that down costs nothing but a line in the log. */
export function forgetToken(joined: JoinedRelays, server: HostPort, log: Logger): void {
  joined.forgetToken(server).catch((reason: unknown) => log.warn({}, PortholeError.from(reason).message));
}

function invited({ relay, ...invite }: Invite): JoinedRelay & Pick<Invite, "token"> {
  return { ...relay, ...invite };
}

/** Tokens are told to nobody who did not bring them. */
export function describedRelay({ host, port, pin, label, certificateDirectory }: JoinedRelay): RelaySpec {
  return {
    address: formatHostPort({ host, port }),
    ...(pin === undefined ? {} : { fingerprint: pin }),
    ...(label === undefined ? {} : { label }),
    ...(certificateDirectory === undefined ? {} : { certificateDirectory }),
  };
}
