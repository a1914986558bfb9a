import type { AcmeNetwork } from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import { JoinedRelays } from "@porthole/common/invite";
import type { Logger } from "@porthole/common/log";
import { withDeadline, type Clock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { LinkPool, openKnownRelays, QuicRest, type Dialers } from "../../tunnel/index.ts";
import type { IdentityRef, InitializeResult } from "../contract/index.ts";
import { rpcVersion } from "../version.ts";
import type { Outbox } from "../outbox.ts";
import type { Handlers } from "../server.ts";
import { doctorHandler } from "./doctor.ts";
import { ExternalKeys, identitiesOf, provideKeys } from "./external-keys.ts";
import { History } from "./history.ts";
import { identityHandlers } from "./identities.ts";
import { accessHandlers, inspectHandlers } from "./inspect.ts";
import { lineLogger } from "./log.ts";
import { forgetToken, relayHandlers } from "./relays.ts";
import { trialRelay, type StartTrialRelay } from "./trial-relay.ts";
import { keySource } from "./tunnel-settings.ts";
import { Tunnels } from "./tunnels.ts";

/** Links that don't answer are dropped after 3 s, and so are visits. */
const endDeadlineMs = 15_000;

export interface RuntimeOptions {
  readonly stateDir: string;
  readonly dialers: Dialers;
  /** Name and version of the program, for the relay's log. */
  readonly software: string;
  readonly clock: Clock;
  /** See InitializeParams. */
  readonly owner?: IdentityRef | undefined;
  /** Visitors finish when a tunnel is stopped (see limits.drain in tunnel/), instead of being cut. */
  readonly drains?: boolean | undefined;
  /** Where certificate authorities are and knock, if not on the internet: for tests. */
  readonly acmeNetwork?: AcmeNetwork | undefined;
  /** Where there is a relay to start: without it `trialRelay/start` is refused. */
  readonly startTrialRelay?: StartTrialRelay | undefined;
}

/** What listeners are notified of: log lines of every level, and every change of every tunnel. */
export type RuntimeListener = Pick<Outbox, "state" | "visit" | "request" | "inspect" | "log">;

/** The tunnels of this process and what can be asked of them: over standard streams, a socket, or by the program itself. */
export interface Runtime {
  readonly about: InitializeResult;
  readonly handlers: Handlers;
  readonly log: Logger;
  readonly externalKeys: ExternalKeys;
  /** Aborts when `shutdown` was called and every tunnel has stopped. */
  readonly shutDown: AbortSignal;
  /** Whether `shutdown` was called: the tunnels may still be stopping, one after the other. */
  readonly isEnding: boolean;
  /** Returns what ends it. */
  subscribe(listener: RuntimeListener): () => void;
  /** Stops every tunnel, within 15 seconds. Never rejects. */
  close(): Promise<void>;
}

/** Reads the state folder. Throws `state`. The caller closes the runtime. */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { stateDir, clock, startTrialRelay } = options;
  const listeners = new Set<RuntimeListener>();
  const notify = (tell: (listener: RuntimeListener) => void): void => listeners.forEach(tell);
  const log = lineLogger(clock, (line) => notify((listener) => listener.log(line)));
  const joined = await JoinedRelays.open(stateDir);
  const externalKeys = new ExternalKeys({ stateDir, clock, log });
  const owner = options.owner && keySource(options.owner, "owner", externalKeys);
  const knownRelays = await openKnownRelays(stateDir);
  const dialers = (await QuicRest.open(stateDir, clock)).over(options.dialers);
  const sharedLinks = new LinkPool({ clock, log });
  const context = { ...options, dialers, log, joined, owner, knownRelays, sharedLinks, externalKeys };
  const trial = trialRelay({ start: startTrialRelay, stateDir, clock, log });
  const shutDown = new AbortController();
  let isEnding = false;
  const history = new History();
  const tunnels = new Tunnels({
    ...context,
    onState(id, state) {
      history.add(id, { time: clock.now(), event: "state", state });
      notify((listener) => listener.state({ id, state }));
    },
    onVisit(id, visit) {
      history.add(id, { time: clock.now(), event: "visit", visit });
      notify((listener) => listener.visit({ id, visit }));
    },
    onRequest(id, request) {
      history.add(id, { time: clock.now(), event: "request", request });
      notify((listener) => listener.request({ id, request }));
    },
    onInspect: (id, changes) => notify((listener) => listener.inspect(id, changes)),
  });

  async function closeOnce(): Promise<void> {
    try {
      const work = async (): Promise<void> => {
        await tunnels.close();
        await trial.close();
      };
      await withDeadline({ clock, delayMs: endDeadlineMs, what: "Stopping the tunnels" }, work);
    } catch (reason) {
      // Something hangs: the process ends anyway.
      log.warn({}, PortholeError.from(reason).message);
    }
  }

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeOnce());

  return {
    about: aboutThis(dialers),
    log,
    externalKeys,
    shutDown: shutDown.signal,
    get isEnding() {
      return isEnding;
    },
    close,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    handlers: {
      ...identityHandlers(log, externalKeys),
      ...relayHandlers(context),
      ...trial.handlers,
      ...inspectHandlers(tunnels),
      ...accessHandlers(tunnels),
      "tunnel/start"(spec, { holder }) {
        provideKeys(externalKeys, identitiesOf(spec), holder);
        return tunnels.start(spec);
      },
      "tunnel/list": () => ({ tunnels: tunnels.list() }),
      "tunnel/update"({ id, changes }, { holder }) {
        provideKeys(externalKeys, identitiesOf(changes), holder);
        return tunnels.update(id, changes);
      },
      "tunnel/history"({ id, limit }) {
        tunnels.assertThere(id);
        return { entries: history.newest(id, limit) };
      },
      async "tunnel/stop"({ id }) {
        await tunnels.stop(id);
        history.forget(id);
        return {};
      },
      doctor: doctorHandler({ ...context, tunnels, onTokenUsed: (server) => forgetToken(joined, server, log) }),
      async shutdown() {
        isEnding = true;
        await close();
        shutDown.abort(new PortholeError("aborted", "A program asked for the end"));
        return {};
      },
    },
  };
}

function aboutThis({ quic }: Dialers): InitializeResult {
  return {
    rpcVersion,
    version,
    node: process.versions.node,
    quic: quic.available
      ? { available: true, ...(quic.engine && { engine: quic.engine, why: quic.why }) }
      : { available: false, reason: quic.reason },
  };
}
