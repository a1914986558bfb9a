import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { parseFingerprint } from "@porthole/common/identity";
import { defineOptions, port, readOptions, text } from "@porthole/common/options";
import { longestTimerMs, splice, systemClock, type SpliceEnd } from "@porthole/common/util";
import { stopController } from "../stop-signals.ts";
import { dialPublic, type DialOptions } from "./dial-public.ts";
import { parsePublicAddress, type PublicAddress } from "./public-address.ts";

/** A person's programs, not a crowd's. */
const maxConnections = 500;

export const connectOptions = defineOptions({
  fingerprint: {
    help: "Trust exactly this key",
    parse: { placeholder: "FINGERPRINT", parse: parseFingerprint },
    defaultHelp: "the key that a client id's name says, or a public authority",
  },
  alpn: { help: "Protocol to agree on in TLS: postgresql, for example", parse: text, placeholder: "NAME" },
});

/** `porthole connect NAME [LOCALPORT|-]`: a public name as a port of this machine, or as standard input and output. */
export async function connect(argv: readonly string[]): Promise<void> {
  const { values, positionals } = readOptions(connectOptions, argv, process.env, { maxPositionals: 2 });
  const [name, to = "0"] = positionals;
  if (name === undefined)
    throw new PortholeError("usage", "porthole connect needs a public name", {
      hint: "porthole connect app.tunnel.example.com 5432, or with - for standard input and output.",
    });
  const address = parsePublicAddress(name);
  const { signal } = stopController();
  const options: DialOptions = { ...values, clock: systemClock, signal };
  // The clock's timers keep no process alive.
  const alive = setInterval(() => {}, longestTimerMs);
  try {
    if (to === "-") await overStdio(address, options);
    else await overPort(address, localPort(to), options);
  } finally {
    clearInterval(alive);
  }
}

function localPort(given: string): number {
  try {
    return port.parse(given);
  } catch (reason) {
    throw new PortholeError("usage", `The local port: ${PortholeError.from(reason).message}`, {
      hint: "Give a port, or - for standard input and output.",
    });
  }
}

/** For `ProxyCommand` of ssh and its like. Ends when both directions have. */
async function overStdio(address: PublicAddress, options: DialOptions): Promise<void> {
  const remote = await dialPublic(address, options);
  const stdio = Duplex.from({ readable: process.stdin, writable: process.stdout });
  const over = new Promise<SpliceEnd>((resolve) => splice(stdio, remote, resolve));
  options.signal.addEventListener("abort", () => remote.destroy(), { once: true });
  const { error } = await over;
  process.stdin.destroy();
  if (error && !options.signal.aborted) throw error;
}

/** Each connection to the port is one to the name, until the user ends it. */
async function overPort(address: PublicAddress, wanted: number, options: DialOptions): Promise<void> {
  const sockets = new Set<Socket>();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    carry(socket, address, options).catch((reason: unknown) => {
      const { message, hint } = PortholeError.from(reason);
      if (!options.signal.aborted)
        process.stderr.write(`porthole: ${message}${hint === undefined ? "" : `. ${hint}`}\n`);
      socket.resetAndDestroy();
    });
  });
  server.maxConnections = maxConnections;
  server.listen(wanted, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new PortholeError("usage", `The local port ${wanted} can't be used (${code ?? "unknown"})`, {
      cause,
      hint: "Name another one, or none for a free one.",
    });
  }
  process.stdout.write(`127.0.0.1:${(server.address() as AddressInfo).port} → ${address.host}:${address.port}\n`);
  await new Promise<void>((resolve) => options.signal.addEventListener("abort", () => resolve(), { once: true }));
  const closed = once(server, "close");
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}

async function carry(local: Socket, address: PublicAddress, options: DialOptions): Promise<void> {
  const remote = await dialPublic(address, options);
  if (local.destroyed) return void remote.destroy();
  options.signal.addEventListener("abort", () => remote.destroy(), { once: true });
  await new Promise<void>((resolve) => splice(local, remote, () => resolve()));
}
