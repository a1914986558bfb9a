import { flag } from "@porthole/common/options";
import { silentLogger } from "@porthole/common/log";
import { dataFolder, systemClock } from "@porthole/common/util";
import type { OptionValues } from "@porthole/common/options";
import { openEnrollmentFile, type Enrollments, type Ledger } from "../admission/index.ts";
import { enrollmentsOf, openShared } from "../cluster/shared.ts";
import { sharedConfig } from "../config/cluster-config.ts";
import { engineOptions } from "../config/cluster-options.ts";
import { relayOptions } from "../config/options.ts";

/** Options that the commands about admission share. */
export const admissionOptions = {
  config: relayOptions.config,
  "state-dir": { ...relayOptions["state-dir"], help: "State folder of the relay" },
  json: { help: "One JSON object", parse: flag, notInFile: true },
  // Commands find the cluster's records as the relay does, usually by its relay.toml.
  ...engineOptions,
} as const;

/** Returns the state folder that was named, or the platform's. */
export function stateDirOf(values: { readonly "state-dir": string | undefined }): string {
  return values["state-dir"] ?? dataFolder("porthole-relay");
}

/** Returns the words of a command line, with the state folder if one was named. */
export function commandLine(words: string, stateDir: string | undefined): string {
  const folder = stateDir === undefined || /^[\w./-]+$/.test(stateDir) ? stateDir : JSON.stringify(stateDir);
  return ["porthole-relay", words, folder === undefined ? "" : `--state-dir ${folder}`].filter(Boolean).join(" ");
}

/** Does something with the relay's enrollments, or those of its cluster; whether or not the relay runs. */
export async function withEnrollments<T>(
  values: OptionValues<typeof admissionOptions>,
  act: (ledger: Ledger<Enrollments>) => Promise<T>,
): Promise<T> {
  const context = { clock: systemClock, log: silentLogger };
  const shared = sharedConfig(values);
  const ledger = shared ? await openShared(shared, context) : await openEnrollmentFile(stateDirOf(values), context);
  try {
    return await act("report" in ledger ? enrollmentsOf(ledger) : ledger);
  } finally {
    await ledger.close();
  }
}

/** Rows for people, in columns. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_cell, index) => Math.max(...rows.map((row) => (row[index] ?? "").length))) ?? [];
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
