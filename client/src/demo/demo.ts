import { once } from "node:events";
import net from "node:net";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { silentLogger } from "@porthole/common/log";
import { readOptions, type OptionValues } from "@porthole/common/options";
import { systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { relayConfig, relayOptions, startRelay, type Relay } from "@porthole/relay";
import { createDialers } from "@porthole/tunnel/dialers";
import { localService } from "@porthole/tunnel/gateway";
import type { EndpointView, TunnelSpec } from "@porthole/tunnel/rpc";
import { openCommandSocket, openRuntime, type CommandSocket, type Runtime } from "@porthole/tunnel/rpc/daemon";
import { tunnelSpec } from "../config.ts";
import { clientOptions } from "../options.ts";
import { demoFolder, mainTunnel } from "../running-client.ts";
import { stopController } from "../stop-signals.ts";
import { createTextReporter } from "../text-reporter.ts";
import { tunnelsAreOver } from "../tunnels-are-over.ts";
import { demoOptions } from "./options.ts";
import { startSampleSite } from "./sample-site.ts";
import { selfCheck } from "./self-check.ts";

/**
 * `porthole demo` and `npm start`: a relay, a sample site and a client on this machine, to try it out without a server. Ends with
 * Ctrl-C or `porthole stop`. Rejects with `state` when another client runs with the state folder.
 */
export async function runDemo(argv: readonly string[]): Promise<void> {
  const { values, positionals } = readOptions(demoOptions, argv, {}, { maxPositionals: 1 });
  const [service] = positionals.map((text) => localService.parse(text));
  const own = service ?? values.local;
  const stateDir = values["state-dir"] ?? demoFolder();
  const write = (text: string): void => void process.stdout.write(text);
  const reporter = createTextReporter(
    { write, isTerminal: process.stdout.isTTY },
    { qr: values.qr && process.stdout.isTTY },
  );
  const software = `porthole-demo/${version}`;
  const runtime = await openRuntime({ stateDir, software, clock: systemClock, dialers: createDialers() });
  const over = tunnelsAreOver(runtime, [mainTunnel], reporter, [stopController().signal, runtime.shutDown]);
  const site = own ? undefined : await startSampleSite();
  let relay: Relay | undefined;
  let socket: CommandSocket | undefined;
  try {
    const inUseHint = "It may be another demo: porthole stop ends it. Or choose another --state-dir.";
    socket = await openCommandSocket(runtime, { stateDir, clock: systemClock, inUseHint });
    relay = await openRelay(values, join(stateDir, "relay"), runtime);
    const local = own?.text ?? `http://127.0.0.1:${site?.port}`;
    runtime.log.info(
      {},
      `A relay on this machine, and ${site ? "a sample site" : local} behind it. Ctrl-C ends all of it.`,
    );
    checkWhenOnline(runtime);
    const spec = specOf(relay, values, local, stateDir);
    await runtime.handlers["tunnel/start"](spec, { signal: runtime.shutDown });
    await over;
  } finally {
    await runtime.close();
    await socket?.close();
    reporter.close();
    await relay?.close();
    await site?.close();
  }
}

type Values = OptionValues<typeof demoOptions>;

async function openRelay(values: Values, stateDir: string, { log }: Runtime): Promise<Relay> {
  const choose = async (wanted: number): Promise<string> => {
    if (await isFree(wanted)) return String(wanted);
    log.warn({}, `Port ${wanted} is taken; using a free one instead`);
    return "0";
  };
  const argv = ["--api-port", await choose(values["api-port"]), "--pub-port", await choose(values["pub-port"])];
  const config = relayConfig(readOptions(relayOptions, [...argv, "--state-dir", stateDir], {}).values);
  return startRelay(config, { clock: systemClock, log: silentLogger });
}

function specOf(relay: Relay, values: Values, local: string, stateDir: string): TunnelSpec {
  const secondary = values["secondary-local"];
  const argv = [
    ...["--server", `127.0.0.1:${relay.apiPort}`, "--local", local],
    "--no-acme",
    ...["--transport", values["force-h2"] ? "h2" : values.transport],
    ...(secondary ? ["--secondary-local", secondary.text] : []),
  ];
  return tunnelSpec(readOptions(clientOptions, argv, {}).values, stateDir);
}

/** The first time that an endpoint is online: one request, so that nobody has to wonder whether it works. */
function checkWhenOnline(runtime: Runtime): void {
  const { log } = runtime;
  const checked = new Set<string>();
  const check = async ({ clientId, urls: [url] }: EndpointView): Promise<void> => {
    if (url === undefined || checked.has(clientId)) return;
    checked.add(clientId);
    try {
      log.info({}, await selfCheck(url, clientId));
    } catch (reason) {
      log.warn({}, `A request through the tunnel failed: ${PortholeError.from(reason).message}`);
    }
  };
  const ignore = (): void => {};
  runtime.subscribe({
    ...{ visit: ignore, request: ignore, inspect: ignore, log: ignore },
    state: ({ state }) => state.endpoints.forEach((endpoint) => void check(endpoint)),
  });
}

async function isFree(wanted: number): Promise<boolean> {
  const server = net.createServer();
  try {
    server.listen(wanted, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
