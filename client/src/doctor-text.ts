import { withFlags } from "@porthole/common/options";
import { styleText } from "node:util";
import type { DoctorCheck, DoctorReport, EndpointView } from "@porthole/tunnel/rpc";
import { printable } from "./printable.ts";

const marks = { ok: "✓", warning: "!", failed: "✗", skipped: "-" } as const;
const styles = { ok: "green", warning: "yellow", failed: "red", skipped: "dim" } as const;
/** The width of the longest name of a check. */
const nameColumn = 16;

/** The findings about one endpoint. */
export interface EndpointReport extends DoctorReport {
  readonly tunnel: string;
  readonly role: EndpointView["role"];
}

/** A line for each check, and at the end what to mend first; when nothing failed, what could be better. */
export function describeReports(
  reports: readonly EndpointReport[],
  { isRunning, isTerminal }: { readonly isRunning: boolean; readonly isTerminal: boolean },
): string {
  const paint = (status: DoctorCheck["status"], text: string): string =>
    isTerminal ? styleText(styles[status], text) : text;
  const lines = [isRunning ? "The client that runs:" : "No client runs. What the options say:"];
  const hasTunnels = new Set(reports.map(({ tunnel }) => tunnel)).size > 1;
  for (const { tunnel, role, checks } of reports) {
    if (reports.length > 1) lines.push("", hasTunnels ? `${printable(tunnel)}, ${role} endpoint` : `${role} endpoint`);
    const relays = new Set(checks.flatMap(({ relay }) => relay ?? []));
    let last: string | undefined;
    for (const { id, status, relay, finding } of checks) {
      if (relays.size > 1 && relay !== undefined && relay !== last) lines.push(`by ${printable(relay)}`);
      last = relay;
      lines.push(paint(status, `${marks[status]} ${id.padEnd(nameColumn)} ${printable(withFlags(finding))}`));
    }
  }
  return `${[...lines, "", ...conclusion(reports.flatMap(({ checks }) => checks))].join("\n")}\n`;
}

function conclusion(checks: readonly DoctorCheck[]): string[] {
  const first = checks.find(({ status }) => status === "failed");
  if (first) return [`Mend first: ${first.id}`, `  ${printable(withFlags(first.finding))}`, ...fixOf(first)];
  const warnings = checks.filter(({ status }) => status === "warning");
  if (warnings.length === 0) return ["All is well."];
  return ["It works.", ...warnings.flatMap((check) => fixOf(check))];
}

function fixOf({ fix }: DoctorCheck): string[] {
  return fix === undefined ? [] : [`  ${printable(withFlags(fix))}`];
}
