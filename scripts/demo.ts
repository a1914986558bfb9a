import { once } from "node:events";
import net from "node:net";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { localService } from "@porthole/tunnel/gateway";
import { silentLogger } from "@porthole/common/log";
import { asksFor, defineOptions, flag, helpText, path, port, readOptions } from "@porthole/common/options";
import { prepareTunnel, runTunnel, type TunnelState } from "@porthole/tunnel/tunnel";
import { systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { relayConfig, relayOptions, startRelay, type Relay } from "@porthole/relay";
import { clientOptions, createDialers, createTextReporter, tunnelSettings, type Reporter } from "porthole";
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
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stop.abort(new PortholeError("aborted", "Stopped by the user")));
  const site = values.local ? undefined : await startSampleSite();
  let relay: Relay | undefined;
  try {
    relay = await openRelay(values, reporter);
    const local = values.local?.text ?? `http://127.0.0.1:${site?.port}`;
    reporter.log.info(
      {},
      `A relay on this machine, and ${site ? "a sample site" : local} behind it. Ctrl-C ends all of it.`,
    );
    await expose(relay, { ...values, local }, reporter, stop.signal);
  } finally {
    reporter.close();
    await relay?.close();
    await site?.close();
  }
}

type Values = ReturnType<typeof readOptions<typeof options>>["values"];

async function openRelay(values: Values, reporter: Reporter): Promise<Relay> {
  const choose = async (wanted: number): Promise<string> => {
    if (await isFree(wanted)) return String(wanted);
    reporter.log.warn({}, `Port ${wanted} is taken; using a free one instead`);
    return "0";
  };
  const argv = ["--api-port", await choose(values["api-port"]), "--pub-port", await choose(values["pub-port"])];
  const stateDir = ["--state-dir", join(values["state-dir"], "relay")];
  const config = relayConfig(readOptions(relayOptions, [...argv, ...stateDir], {}).values);
  return startRelay(config, { clock: systemClock, log: silentLogger });
}

async function expose(
  relay: Relay,
  values: Omit<Values, "local"> & { readonly local: string },
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const secondary = values["secondary-local"];
  const argv = [
    ...["--server", `127.0.0.1:${relay.apiPort}`, "--local", values.local],
    "--no-acme",
    ...["--transport", values["force-h2"] ? "h2" : values.transport],
    ...["--state-dir", join(values["state-dir"], "client")],
    ...(secondary ? ["--secondary-local", secondary.text] : []),
  ];
  const context = { clock: systemClock, log: reporter.log };
  const prepared = await prepareTunnel(tunnelSettings(readOptions(clientOptions, argv, {}).values), context);
  const checked = new Set<string>();
  await runTunnel(
    {
      ...prepared,
      ...context,
      dialers: createDialers(),
      software: `porthole-demo/${version}`,
      onState(state) {
        reporter.onState(state);
        void check(state, checked, reporter);
      },
      onVisit: (report) => reporter.onVisit(report),
      onRequest: (report) => reporter.onRequest(report),
    },
    signal,
  );
}

/** The first time that an endpoint is online: one request, so that nobody has to wonder whether it works. */
async function check(state: TunnelState, checked: Set<string>, { log }: Reporter): Promise<void> {
  for (const { clientId, relays } of state.endpoints) {
    const url = relays.flatMap(({ now }) => (now.status === "online" ? now.urls : []))[0];
    if (url === undefined || checked.has(clientId)) continue;
    checked.add(clientId);
    try {
      log.info({}, await selfCheck(url, clientId));
    } catch (reason) {
      log.warn({}, `A request through the tunnel failed: ${PortholeError.from(reason).message}`);
    }
  }
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
  process.stderr.write(`${error.message}\n${error.hint ? `  ${error.hint}\n` : ""}`);
  if (error.code === "internal") process.stderr.write(`${error.stack ?? ""}\n`);
  process.exitCode = error.exitCode;
}
