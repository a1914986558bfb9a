import assert from "node:assert/strict";
import { knownFaults, type KnownFault } from "./known-faults.ts";
import { isListed, type Circumstances, type ListedDifference } from "./listed.ts";
import { listedDifferences } from "./listed-differences.ts";
import type { Difference } from "./messages.ts";
import { programs } from "./readers.ts";

const met = new Set<ListedDifference>();

/** Fails on a difference that is neither listed nor a known fault, and on a known fault that is none any more. */
export function judge(where: Circumstances, differences: readonly Difference[]): void {
  const unlisted = differences.filter((difference) => {
    const listed = listedDifferences.filter((each) => isListed(each, difference, where));
    for (const each of listed) met.add(each);
    return listed.length === 0;
  });
  const fault = knownFaults.find((each) => isKnown(each, where));
  // Whether a program minds is its own affair.
  if (fault && (fault.isChance || programs.includes(where.client))) return;
  if (fault) assert.ok(unlisted.length > 0, `No fault any more, so delete it from known-faults.ts: ${fault.fault}`);
  else assert.ok(unlisted.length === 0, `The tunnel changes the ${where.message}:\n${unlisted.map(print).join("\n")}`);
}

function isKnown(fault: KnownFault, { message, name, visitor, service, client }: Circumstances): boolean {
  return (
    fault.message === message &&
    (fault.cases === undefined || fault.cases.includes(name)) &&
    !fault.except?.includes(name) &&
    (fault.visitor === undefined || fault.visitor === visitor) &&
    (fault.services === undefined || fault.services.includes(service)) &&
    (fault.clients === undefined || fault.clients.includes(client))
  );
}

/** Listed differences that no comparison has met; those of programs are met elsewhere. */
export function unmet(): readonly string[] {
  return listedDifferences.filter((each) => !met.has(each) && each.clients === undefined).map(({ what }) => what);
}

function print({ part, name, direct, tunnelled }: Difference): string {
  return `${part} ${name}: ${shown(direct)} became ${shown(tunnelled)}`;
}

function shown(value: string): string {
  const text = JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}… (${value.length})` : text;
}
