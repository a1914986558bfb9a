import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNetlab, netlabMissing, startLabTunnel } from "../test/netlab/index.ts";
import type { BenchRow } from "./row.ts";

const delayMs = 20;
const lossPercents = [0, 1, 3];
/** Losses where we have a goal, and how many times HTTP/2's speed it is. */
const goals: Readonly<Record<number, number>> = { 1: 10 };
const bytes = 10_000_000;
const rounds = 3;
/** A download that takes longer is not repeated, and measured by what has come until then. */
const patienceSeconds = 40;

/**
 * What a visitor downloads with when client and relay are 20 ms apart and packets get lost, each way: visitor, relay and
 * client with its web server on hosts of their own. QUIC against HTTP/2 over TCP with CUBIC, whatever this machine's default.
 */
export async function benchLoss(): Promise<BenchRow[]> {
  const missing = netlabMissing();
  if (missing !== undefined) {
    process.stderr.write(`Not measured: ${typeof missing === "string" ? missing : missing.platform}\n`);
    return [];
  }
  const rows: BenchRow[] = [];
  for (const lossPercent of lossPercents) {
    const quic = await download("quic", lossPercent);
    const http2 = await download("h2", lossPercent);
    const where = `${lossPercent} % loss, ${delayMs} ms each way`;
    const target = goals[lossPercent];
    rows.push(
      { name: `${where}: one download over QUIC`, value: quic, unit: "MB/s" },
      { name: `${where}: one download over HTTP/2`, value: http2, unit: "MB/s", note: "TCP CUBIC" },
      {
        name: `${where}: QUIC against HTTP/2`,
        value: quic / http2,
        unit: "times",
        ...(target === undefined ? {} : { target }),
      },
    );
  }
  return rows;
}

/** Megabytes a second, the median of up to three rounds. */
async function download(transport: "quic" | "h2", lossPercent: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "porthole-bench-"));
  const lab = await createNetlab({ delayMs, lossPercent });
  try {
    const tunnel = await startLabTunnel(lab, { transport, folder });
    await tunnel.visit(1_000, patienceSeconds);
    const speeds: number[] = [];
    for (let spent = 0; speeds.length < rounds && spent < patienceSeconds / 4;) {
      const { bytesPerSecond, seconds } = await tunnel.visit(bytes, patienceSeconds);
      speeds.push(bytesPerSecond / 1e6);
      spent += seconds;
    }
    return speeds.sort((a, b) => a - b)[Math.floor(speeds.length / 2)] ?? 0;
  } finally {
    await lab.close();
    await rm(folder, { recursive: true, force: true });
  }
}
