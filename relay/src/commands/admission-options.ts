import { flag } from "@porthole/common/options";
import { silentLogger } from "@porthole/common/log";
import { dataFolder, systemClock } from "@porthole/common/util";
import { openEnrollmentFile, type EnrollmentFile } from "../admission/index.ts";
import { relayOptions } from "../config/options.ts";

/** What the commands about admission have in common. */
export const admissionOptions = {
  config: relayOptions.config,
  "state-dir": { ...relayOptions["state-dir"], help: "State folder of the relay" },
  json: { help: "One JSON object", parse: flag, notInFile: true },
} as const;

export function stateDirOf(values: { readonly "state-dir": string | undefined }): string {
  return values["state-dir"] ?? dataFolder("porthole-relay");
}

/** What to type, with the state folder where one was named. */
export function commandLine(words: string, stateDir: string | undefined): string {
  const folder = stateDir === undefined || /^[\w./-]+$/.test(stateDir) ? stateDir : JSON.stringify(stateDir);
  return ["porthole-relay", words, folder === undefined ? "" : `--state-dir ${folder}`].filter(Boolean).join(" ");
}

/** The relay's enrollments, whether or not the relay runs. */
export function openEnrollmentFileOf(stateDir: string): Promise<EnrollmentFile> {
  return openEnrollmentFile(stateDir, { clock: systemClock, log: silentLogger });
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
