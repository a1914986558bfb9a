import { PortholeError } from "@porthole/common/errors";
import { generateKey } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import {
  prepareTunnel,
  runTunnel,
  readKey,
  testRelay,
  type Dialers,
  type EndpointState,
  type KnownRelays,
  type RelayStatus,
  type RelayTestOptions,
  type ServerAddress,
  type ServerSettings,
  type TransportOutcome,
  type TunnelSettings,
} from "../tunnel/index.ts";
import { skipped, sleep, type Clock, type Finding } from "@porthole/common/util";
import type { Check, CheckId } from "./check.ts";
import { checkLocalPort } from "./local-port.ts";
import { checkPublicName, checkCertificate } from "./public-name.ts";
import { checkRelayName, checkRelayPort, checkAdmission, checkTrust, checkUdp } from "./relay-path.ts";
import { checkWholePath } from "./whole-path.ts";

/** How long a tunnel may take to come up before that is the finding. */
const onlineMs = 15_000;
const lookEveryMs = 100;

export interface ExamineOptions {
  /** The settings with the endpoint in question alone. */
  readonly settings: TunnelSettings;
  /** The state of the endpoint where its tunnel runs. Absent: it is exposed for the time of the examination. */
  readonly running?: () => EndpointState | undefined;
  readonly dialers: Dialers;
  readonly software: string;
  readonly knownRelays: KnownRelays;
  readonly clock: Clock;
  readonly log: Logger;
  /** See TunnelOptions. */
  onTokenUsed?(server: ServerAddress): void;
}

/**
 * Checks each hop in turn. The first check that failed is the one to mend: what depends on it is skipped. Rejects only with
 * `usage`, `state` or `key`, when there is nothing to look at, and when the signal aborts.
 */
export async function examine(options: ExamineOptions, signal: AbortSignal): Promise<readonly Check[]> {
  const [endpoint] = options.settings.endpoints;
  if (!endpoint) throw new PortholeError("internal", "There is no endpoint to look at");
  const mode = endpoint.gateway?.mode ?? "auto";
  const local = await checkLocalPort({ local: endpoint.local, mode, clock: options.clock }, signal);
  const checks: Check[] = [{ id: "local-port", ...local }];
  const visit = options.running ? { state: options.running, end: async () => {} } : await exposeForNow(options);
  try {
    for (const server of options.settings.servers) {
      const runner = new CheckRunner(server.text, checks);
      await checkPath(runner, { ...options, server, state: visit.state, isLocalUp: local.status !== "failed" }, signal);
    }
  } finally {
    await visit.end();
  }
  return checks;
}

interface PathOptions extends ExamineOptions {
  readonly server: ServerSettings;
  readonly state: () => EndpointState | undefined;
  readonly isLocalUp: boolean;
}

/** Checks the path from this machine to the relay, and back in as a visitor. */
async function checkPath(runner: CheckRunner, options: PathOptions, signal: AbortSignal): Promise<void> {
  const { server, settings, clock } = options;
  await runner.step("relay-dns", () => checkRelayName(server, signal));
  await runner.step("relay-tcp", () => checkRelayPort(server, clock, signal));
  // A test: the relay leads no visitors there, so it does not get in the way of the tunnel with the same key. The invite is the tunnel's.
  const test = { ...options, ...(await keysOf(settings, options.log)), server: { ...server, token: undefined } };
  const tried = runner.isBlocked ? undefined : await testRelay(test, signal);
  await runner.step("relay-udp", () => checkUdp(outcomeOr(tried?.quic), server, settings.transport, options.dialers));
  await runner.step("relay-trust", () => checkTrust(outcomeOr(tried?.http2), tried?.fingerprint, server));
  const relay = runner.isBlocked ? undefined : await statusOf(options, signal);
  await runner.step("relay-admission", () => checkAdmission(outcomeOf(relay)));
  const online = relay?.status === "online" ? relay : undefined;
  const hostname = online?.hostnames[0] ?? "";
  await runner.step("name-dns", () => checkPublicName(hostname, signal));
  const state = options.state();
  if (state) await runner.step("certificate", () => checkCertificate(hostname, state, settings.acme !== undefined));
  if (!options.isLocalUp) {
    runner.add("whole-path", skipped("Not tried: the local service does not answer."));
    return;
  }
  await runner.step("whole-path", () =>
    checkWholePath(
      {
        url: new URL(online?.urls[0] ?? `https://${hostname}`),
        relayHost: server.host,
        sha256: options.state()?.certificates.find((each) => each.hostname === hostname)?.sha256,
        speaksHttp: settings.endpoints[0]?.gateway?.mode !== "tcp" && settings.endpoints[0]?.local.kind !== "tcp",
        clock,
      },
      signal,
    ),
  );
}

/** The keys by which the relay knows the client, and its owner. */
async function keysOf(
  { endpoints, owner }: TunnelSettings,
  log: Logger,
): Promise<Pick<RelayTestOptions, "key" | "owner">> {
  const key = endpoints[0] ? await readKey(endpoints[0].key, log) : generateKey();
  return { key, owner: owner && (await readKey(owner, log)) };
}

/** Runs the checks of the path by one relay: after one that failed the rest is skipped. */
class CheckRunner {
  readonly #relay: string;
  readonly #checks: Check[];
  #blockedBy: string | undefined;

  constructor(relay: string, checks: Check[]) {
    this.#relay = relay;
    this.#checks = checks;
  }

  get isBlocked(): boolean {
    return this.#blockedBy !== undefined;
  }

  async step(id: CheckId, look: () => Finding | Promise<Finding>): Promise<void> {
    this.add(id, this.#blockedBy === undefined ? await look() : skipped(`Not tried: ${this.#blockedBy} comes first.`));
  }

  add(id: CheckId, finding: Finding): void {
    this.#checks.push({ id, relay: this.#relay, ...finding });
    if (finding.status === "failed") this.#blockedBy ??= id;
  }
}

/** Resolves to the endpoint's status at the relay, as soon as it is more than "connecting". */
async function statusOf({ state, server, clock }: PathOptions, signal: AbortSignal): Promise<RelayStatus | undefined> {
  const giveUpAt = clock.monotonic() + onlineMs;
  for (;;) {
    const now = state()?.relays.find((each) => each.address === server.text)?.now;
    if ((now && now.status !== "connecting") || clock.monotonic() > giveUpAt) return now;
    await sleep(clock, lookEveryMs, signal);
  }
}

function outcomeOf(status: RelayStatus | undefined): TransportOutcome {
  switch (status?.status) {
    case "online":
      return { ok: true, connectMs: 0, rttMs: status.rttMs, hostnames: status.hostnames };
    case "waiting":
    case "failed":
      return { ok: false, error: status.error };
    case "connecting":
    case "stopped":
    case undefined:
      return {
        ok: false,
        error: new PortholeError("timeout", `The relay has not let us in within ${onlineMs / 1_000} s`),
      };
  }
}

/** The step is skipped where there is none. */
function outcomeOr(outcome: TransportOutcome | undefined): TransportOutcome {
  return outcome ?? { ok: false, error: new PortholeError("internal", "Not tried") };
}

/** No certificate is asked for: there is a limit to how many. */
async function exposeForNow(
  options: ExamineOptions,
): Promise<{ readonly state: () => EndpointState | undefined; end(): Promise<void> }> {
  const { settings, knownRelays, clock, log } = options;
  const prepared = await prepareTunnel({ ...settings, acme: undefined }, { clock, log, knownRelays });
  const stop = new AbortController();
  let state: EndpointState | undefined;
  const tunnel = runTunnel(
    {
      ...options,
      ...prepared,
      onState: ({ endpoints }) => (state = endpoints[0]),
      onVisit: () => {},
    },
    stop.signal,
  );
  // Its error is in the state.
  tunnel.catch(() => {});
  return {
    state: () => state,
    async end() {
      stop.abort(new PortholeError("aborted", "The examination is over"));
      await tunnel.catch(() => {});
    },
  };
}
