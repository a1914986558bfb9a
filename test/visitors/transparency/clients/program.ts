import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run, type Scope } from "@porthole/testing/end-to-end";
import type { Field, SeenAnswer } from "../messages.ts";
import type { ClientVisit, Destination } from "./client.ts";

/** What our programs write down, one answer on each line. */
interface Line {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  /** In base64. */
  readonly body: string;
  readonly trailers: readonly Field[];
  readonly whole: boolean;
}

/** Runs a program of ours that reads its visits from a file, and takes what it has read from its output. */
export async function runProgram(
  scope: Scope,
  command: string,
  args: readonly string[],
  destination: Destination,
  visits: readonly ClientVisit[],
): Promise<SeenAnswer[]> {
  const { origin, site } = destination;
  const file = join(await scope.folder(), "visits.json");
  await writeFile(file, JSON.stringify({ origin, ca: site?.caPath ?? "", visits }));
  const env = { ...process.env, ...(site ? { NODE_EXTRA_CA_CERTS: site.caPath } : {}) };
  const { code, stdout, stderr } = await run(command, [...args, file], { env });
  const lines = stdout.trim().split("\n");
  if (code !== 0 || lines.length !== visits.length)
    throw new Error(`${command} ended with ${code} after ${lines.length} of ${visits.length} answers:\n${stderr}`);
  return lines.map((line) => {
    const { status, reason, fields, body, trailers, whole } = JSON.parse(line) as Line;
    return {
      ...{ informs: [], status, reason, fields, trailers },
      body: Buffer.from(body, "base64").toString("latin1"),
      end: whole ? "whole" : "cut",
    };
  });
}
