import type { Difference } from "./messages.ts";
import type { Reader } from "./readers.ts";

export type Protocol = "HTTP/1.1" | "HTTP/2";
/** HTTP/1 without and with TLS, and HTTP/2 without and with it. */
export type ServiceKind = "http" | "https" | "h2c" | "h2";

/** Which comparison a difference was found in. */
export interface Circumstances {
  readonly message: "request" | "answer" | "talk";
  /** The case's name. */
  readonly name: string;
  /** What the visitor speaks in the tunnel. */
  readonly visitor: Protocol;
  readonly service: ServiceKind;
  /** The program that reads. */
  readonly client: Reader;
}

/** A difference that is meant. Absent conditions hold always. */
export interface ListedDifference {
  readonly what: string;
  readonly reason: string;
  readonly message: Circumstances["message"];
  readonly parts: readonly Difference["part"][];
  /** Names of fields in lower case; one that ends with `*` is a prefix. */
  readonly names?: readonly string[];
  readonly change?: "missing" | "added" | "changed";
  readonly visitor?: Protocol;
  readonly services?: readonly ServiceKind[];
  readonly clients?: readonly Reader[];
  readonly cases?: readonly string[];
  /** What it was; part of it is enough. */
  readonly was?: string;
  /** What the difference has become; part of it is enough. */
  readonly became?: string;
  /** How the field's values have to have become one. */
  readonly values?: "first" | "joined by commas" | "joined by semicolons";
}

export function isListed(listed: ListedDifference, difference: Difference, where: Circumstances): boolean {
  const { parts, names, change, visitor, services, clients, cases, was, became, values, message } = listed;
  return (
    message === where.message &&
    parts.includes(difference.part) &&
    (names === undefined || names.some((name) => isNamed(difference.name, name))) &&
    (change === undefined || change === changeOf(difference)) &&
    (visitor === undefined || visitor === where.visitor) &&
    (services === undefined || services.includes(where.service)) &&
    (clients === undefined || clients.includes(where.client)) &&
    (cases === undefined || cases.includes(where.name)) &&
    (was === undefined || difference.direct.includes(was)) &&
    (became === undefined || difference.tunnelled.includes(became)) &&
    (values === undefined || difference.tunnelled === merged(difference.direct, values))
  );
}

function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function changeOf({ direct, tunnelled }: Difference): ListedDifference["change"] {
  return tunnelled === "" ? "missing" : direct === "" ? "added" : "changed";
}

function merged(direct: string, how: NonNullable<ListedDifference["values"]>): string {
  const values = JSON.parse(direct || "[]") as string[];
  if (how === "first") return JSON.stringify(values.slice(0, 1));
  return JSON.stringify([values.join(how === "joined by commas" ? ", " : "; ")]);
}

/** Which comparisons it holds in, for the documentation. */
export function whereListed({ message, visitor, services }: ListedDifference): string {
  const from = visitor === undefined ? "" : ` of ${visitor} visitors`;
  const to = services === undefined ? "" : `, ${services.join(" and ")} services`;
  return `${message}s${from}${to}`;
}
