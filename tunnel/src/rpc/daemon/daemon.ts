import { PortholeError } from "@porthole/common/errors";
import { JoinedRelays } from "@porthole/common/invite";
import { openKnownRelays, type Dialers } from "../../tunnel/index.ts";
import { dataFolder, orAbort, withDeadline, type Clock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { rpcVersion, type InitializeParams, type InitializeResult } from "../contract.ts";
import { Outbox } from "../outbox.ts";
import { serveRpc, type Handlers, type RpcServer, type RpcStreams } from "../server.ts";
import { doctorHandler } from "./doctor.ts";
import { identityHandlers } from "./identities.ts";
import { accessHandlers, inspectHandlers } from "./inspect.ts";
import { lineLogger } from "./log.ts";
import { forgetToken, relayHandlers } from "./relays.ts";
import { trialRelay, type StartTrialRelay } from "./trial-relay.ts";
import { keySource } from "./tunnel-settings.ts";
import { Tunnels } from "./tunnels.ts";

/** Links that don't answer are given up after 3 s, and so are visits. */
const endDeadlineMs = 15_000;
/** A caller that does not read them can't have our last words. */
const lastWordsMs = 2_000;

export interface DaemonOptions {
  readonly dialers: Dialers;
  readonly clock: Clock;
  /** Where there is a relay to start: without it `trialRelay/start` is refused. */
  readonly startTrialRelay?: StartTrialRelay;
}

/**
 * Does what the caller at the other end of the streams asks for, until its input ends, it calls `shutdown`, or the signal
 * aborts; then stops every tunnel, and resolves when nothing is left. The streams stay their owner's.
 */
export async function runDaemon(streams: RpcStreams, options: DaemonOptions, signal: AbortSignal): Promise<void> {
  const { clock } = options;
  const finished = new AbortController();
  let session: Session | undefined;
  const server = serveRpc(
    streams,
    {
      async initialize(params) {
        if (params.rpcVersion !== rpcVersion) throw otherVersion(params.rpcVersion);
        session = await openSession(params, options, outbox, () => finished.abort());
        return { result: initializeResult(options.dialers), handlers: session.handlers };
      },
    },
    clock,
  );
  const outbox = new Outbox((name, params) => server.notify(name, params));
  await orAbort(AbortSignal.any([signal, finished.signal]), server.closed).catch(() => {});
  await session?.close();
  await lastWords(server, outbox, clock);
  server.close();
}

interface Session {
  readonly handlers: Handlers;
  /** Never rejects. */
  close(): Promise<void>;
}

/** What a daemon is once the caller has introduced itself. */
async function openSession(
  params: InitializeParams,
  options: DaemonOptions,
  outbox: Outbox,
  onShutdown: () => void,
): Promise<Session> {
  const { dialers, clock } = options;
  const stateDir = params.stateDir ?? dataFolder("porthole");
  const log = lineLogger(params.logLevel ?? "info", clock, (line) => outbox.log(line));
  const software = `porthole/${version} (${params.client.name}/${params.client.version})`;
  const joined = await JoinedRelays.open(stateDir);
  const owner = params.owner && keySource(params.owner, "owner");
  const knownRelays = await openKnownRelays(stateDir);
  const context = { stateDir, dialers, software, clock, log, joined, owner, knownRelays };
  const relays = relayHandlers(context);
  const trial = trialRelay({ start: options.startTrialRelay, stateDir, clock, log });
  const tunnels = new Tunnels({
    ...context,
    onState: (id, state) => outbox.state({ id, state }),
    onVisit: (id, visit) => outbox.visit({ id, visit }),
    onRequest: (id, request) => outbox.request({ id, request }),
    onInspect: (id, changes) => outbox.inspect(id, changes),
  });

  async function close(): Promise<void> {
    try {
      const work = async (): Promise<void> => {
        await tunnels.close();
        await trial.close();
      };
      await withDeadline({ clock, delayMs: endDeadlineMs, what: "Stopping the tunnels" }, work);
    } catch (reason) {
      // Told twice to stop, or something hangs: the process ends anyway.
      log.warn({}, PortholeError.from(reason).message);
    }
  }

  return {
    close,
    handlers: {
      ...identityHandlers(log),
      ...relays,
      ...trial.handlers,
      ...inspectHandlers(tunnels),
      ...accessHandlers(tunnels),
      "tunnel/start": (spec) => tunnels.start(spec),
      "tunnel/list": () => ({ tunnels: tunnels.list() }),
      "tunnel/update": ({ id, changes }) => tunnels.update(id, changes),
      async "tunnel/stop"({ id }) {
        await tunnels.stop(id);
        return {};
      },
      doctor: doctorHandler({ ...context, tunnels, onTokenUsed: (server) => forgetToken(joined, server, log) }),
      async shutdown() {
        await close();
        onShutdown();
        return {};
      },
    },
  };
}

function initializeResult({ quic }: Dialers): InitializeResult {
  return {
    rpcVersion,
    version,
    node: process.versions.node,
    quic: quic.available ? { available: true } : { available: false, reason: quic.reason },
  };
}

/** The last states and answers, as far as somebody reads them. */
async function lastWords(server: RpcServer, outbox: Outbox, clock: Clock): Promise<void> {
  const said = async (): Promise<void> => {
    await outbox.idle();
    await server.idle();
  };
  await withDeadline({ clock, delayMs: lastWordsMs, what: "Saying goodbye" }, said).catch(() => {});
}

function otherVersion(theirs: number): PortholeError {
  return new PortholeError(
    "version",
    `The caller speaks version ${theirs} of the contract, this daemon version ${rpcVersion}`,
    { hint: "Use the daemon that came with the caller." },
  );
}
