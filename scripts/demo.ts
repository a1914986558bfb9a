import { once } from "node:events";
import net from "node:net";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { localService } from "@porthole/tunnel/gateway";
import { silentLogger } from "@porthole/common/log";
import {
  asksFor,
  defineOptions,
  flag,
  helpText,
  path,
  port,
  readOptions,
  errorLines,
  exitStatusOf,
} from "@porthole/common/options";
import type { EndpointView, TunnelSpec } from "@porthole/tunnel/rpc";
import { openRuntime, type Runtime } from "@porthole/tunnel/rpc/daemon";
import { systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { relayConfig, relayOptions, startRelay, type Relay } from "@porthole/relay";
import { clientOptions, createDialers, createTextReporter, stopController, tunnelsAreOver, tunnelSpec } from "porthole";
import { startSampleSite } from "./demo/sample-site.ts";
import { selfCheck } from "./demo/self-check.ts";

/** `npm start`: a relay, a sample site and a client on this machine, so that one can try it out without a server. */
const options = defineOptions({
  local: { help: "Your own service instead of the sample site", parse: localService },
  "secondary-local": clientOptions["secondary-local"],
  transport: clientOptions.transport,
  "force-h2": clientOptions["force-h2"],
  "api-port": { help: "The relay's port for clients", parse: port, default: "4433" },
  "pub-port": { help: "The relay's port for visitors", parse: port, default: "8443" },
  qr: { help: "Show the URL as a QR code, too", parse: flag, default: "true" },
  "state-dir": { help: "Folder for keys, so that the URL stays the same", parse: path, default: ".cache/demo" },
});

async function main(argv: readonly string[]): Promise<void> {
  if (asksFor(argv, "help")) {
    const summary = "Tries Porthole out on this machine: a relay, a sample site and a client.";
    process.stdout.write(helpText(options, { summary, example: "npm start -- --local 127.0.0.1:5173" }));
    return;
  }
  const { values } = readOptions(options, argv, {});
  const write = (text: string): void => void process.stdout.write(text);
  const reporter = createTextReporter(
    { write, isTerminal: process.stdout.isTTY },
    { qr: values.qr && process.stdout.isTTY },
  );
  const stateDir = join(values["state-dir"], "client");
  const software = `porthole-demo/${version}`;
  const runtime = await openRuntime({ stateDir, software, clock: systemClock, dialers: createDialers() });
  const over = tunnelsAreOver(runtime, ["main"], reporter, [stopController().signal, runtime.shutDown]);
  const site = values.local ? undefined : await startSampleSite();
  let relay: Relay | undefined;
  try {
    relay = await openRelay(values, runtime);
    const local = values.local?.text ?? `http://127.0.0.1:${site?.port}`;
    runtime.log.info(
      {},
      `A relay on this machine, and ${site ? "a sample site" : local} behind it. Ctrl-C ends all of it.`,
    );
    checkWhenOnline(runtime);
    await runtime.handlers["tunnel/start"](specOf(relay, values, local), { signal: runtime.shutDown });
    await over;
  } finally {
    await runtime.close();
    reporter.close();
    await relay?.close();
    await site?.close();
  }
}

type Values = ReturnType<typeof readOptions<typeof options>>["values"];

async function openRelay(values: Values, { log }: Runtime): Promise<Relay> {
  const choose = async (wanted: number): Promise<string> => {
    if (await isFree(wanted)) return String(wanted);
    log.warn({}, `Port ${wanted} is taken; using a free one instead`);
    return "0";
  };
  const argv = ["--api-port", await choose(values["api-port"]), "--pub-port", await choose(values["pub-port"])];
  const stateDir = ["--state-dir", join(values["state-dir"], "relay")];
  const config = relayConfig(readOptions(relayOptions, [...argv, ...stateDir], {}).values);
  return startRelay(config, { clock: systemClock, log: silentLogger });
}

function specOf(relay: Relay, values: Values, local: string): TunnelSpec {
  const secondary = values["secondary-local"];
  const argv = [
    ...["--server", `127.0.0.1:${relay.apiPort}`, "--local", local],
    "--no-acme",
    ...["--transport", values["force-h2"] ? "h2" : values.transport],
    ...(secondary ? ["--secondary-local", secondary.text] : []),
  ];
  return tunnelSpec(readOptions(clientOptions, argv, {}).values, join(values["state-dir"], "client"));
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

try {
  await main(process.argv.slice(2));
} catch (reason) {
  const error = PortholeError.from(reason);
  process.stderr.write(errorLines("demo", error));
  if (error.code === "internal") process.stderr.write(`${error.stack ?? ""}\n`);
  process.exitCode = exitStatusOf(error);
}
