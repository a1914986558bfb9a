import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { acceptEngine, acceptPackage, type Meter, type Sink } from "./quic-engine-ends.ts";

export interface QuicEngineFigures {
  /** By the clock, with both processes on this machine. */
  readonly megabytesPerSecond: number;
  /** Per second of processor time of the busier process: what one core would carry. */
  readonly megabytesPerCoreSecond: number;
  readonly senderCpuMs: number;
  readonly receiverCpuMs: number;
}

export interface QuicEngineResult {
  readonly engine: QuicEngineFigures;
  readonly package: QuicEngineFigures;
  /** How many times the package's own classes, by processor time: that does not change with what else the machine does. */
  readonly ratio: number;
}

const megabyte = 1_000_000;
const engineBytes = 256 * megabyte;
/** The package's classes move about 1 MB/s. */
const packageBytes = 8 * megabyte;

/**
 * One stream from client to relay over 127.0.0.1, a process for each end, 1350-byte packets, nothing but the transport:
 * first our engine over the native binding, then `@matrixai/quic`'s own QUICServer and QUICClient. Best of `rounds`.
 */
export async function benchQuicEngine(rounds = 3): Promise<QuicEngineResult> {
  const engine = best(await repeat(rounds, () => measure("engine", engineBytes)));
  const own = best(await repeat(1, () => measure("package", packageBytes)));
  return { engine, package: own, ratio: engine.megabytesPerCoreSecond / own.megabytesPerCoreSecond };
}

async function measure(kind: "engine" | "package", bytes: number): Promise<QuicEngineFigures> {
  const key = generateKey();
  const { pem } = createCertificate({ key, dnsNames: ["relay.example"], notBefore: new Date(), days: 1 });
  const identity = { cert: pem, key: key.pem };
  const sink: Sink = await (kind === "engine" ? acceptEngine(identity) : acceptPackage(identity));
  const child = fork(fileURLToPath(new URL("./quic-engine-peer.ts", import.meta.url)), {
    execArgv: ["--conditions=source", ...process.execArgv.filter((arg) => arg.startsWith("--cpu-prof"))],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  const exited = once(child, "exit");
  child.send({ kind, port: sink.port, bytes, ...identity });
  const [received, sent] = await Promise.all([sink.receive(bytes), meterOf(child)]);
  await sink.close();
  child.kill();
  await exited;
  return {
    megabytesPerSecond: bytes / megabyte / (received.wallMs / 1000),
    megabytesPerCoreSecond: bytes / megabyte / (Math.max(sent.cpuMs, received.cpuMs) / 1000),
    senderCpuMs: sent.cpuMs,
    receiverCpuMs: received.cpuMs,
  };
}

async function meterOf(child: ChildProcess): Promise<Meter> {
  const [meter] = (await once(child, "message")) as [Meter];
  return meter;
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < times; i++) results.push(await work());
  return results;
}

function best(figures: QuicEngineFigures[]): QuicEngineFigures {
  return figures.reduce((a, b) => (b.megabytesPerCoreSecond > a.megabytesPerCoreSecond ? b : a));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await benchQuicEngine();
  const line = (name: string, figures: QuicEngineFigures): string =>
    `${name}: ${figures.megabytesPerSecond.toFixed(1)} MB/s, ${figures.megabytesPerCoreSecond.toFixed(1)} MB/s a core ` +
    `(CPU: sender ${figures.senderCpuMs.toFixed(0)} ms, receiver ${figures.receiverCpuMs.toFixed(0)} ms)\n`;
  process.stdout.write(line("Porthole's engine   ", result.engine));
  process.stdout.write(line("the package's classes", result.package));
  process.stdout.write(`ratio: ${result.ratio.toFixed(0)}\n`);
}
