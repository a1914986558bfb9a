/** One field line; bytes of names and values are in latin1. */
export type Field = readonly [name: string, value: string];

export interface Inform {
  readonly status: number;
  readonly fields: readonly Field[];
}

/** What a visitor has received for one request. */
export interface SeenAnswer {
  readonly informs: readonly Inform[];
  /** 0 where no status came. */
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly body: string;
  readonly trailers: readonly Field[];
  /** Whether a visitor can tell that it has everything. */
  readonly end: "whole" | "cut";
}

/** What a service has received. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  /** How the body is delimited; `none` is neither a length nor chunks. */
  readonly framing: "none" | "length" | "chunked";
  readonly body: string;
  readonly trailers: readonly Field[];
  readonly end: "whole" | "cut";
}

/** One thing that is not the same through the tunnel. Absent values are empty. */
export interface Difference {
  readonly part:
    "status" | "reason" | "field" | "spelling" | "order" | "informs" | "body" | "trailer" | "end" | "request" | "talk";
  /** The name of a field, trailer or field of an informational response, in lower case. */
  readonly name: string;
  readonly direct: string;
  readonly tunnelled: string;
}

/** Fields of one connection (RFC 9110 7.6.1). */
const ofOneHop = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te"];

export function answerDifferences(direct: SeenAnswer, tunnelled: SeenAnswer): Difference[] {
  // In another response everything is different.
  if (direct.status !== tunnelled.status) return simple("status", statusOf(direct), statusOf(tunnelled));
  return [
    ...simple("reason", direct.reason, tunnelled.reason),
    ...informDifferences(direct.informs, tunnelled.informs),
    ...fieldDifferences("field", direct.fields, tunnelled.fields),
    ...restDifferences(direct, tunnelled),
  ];
}

/** How much of a broken message has arrived is chance. */
function restDifferences(direct: SeenAnswer | SeenRequest, tunnelled: SeenAnswer | SeenRequest): Difference[] {
  if (direct.end !== "whole" || tunnelled.end !== "whole") return simple("end", direct.end, tunnelled.end);
  return [
    ...simple("body", direct.body, tunnelled.body),
    ...fieldDifferences("trailer", direct.trailers, tunnelled.trailers),
  ];
}

/** `502 of the tunnel` for a page of its own, and `0 cut` for no answer. */
function statusOf({ status, fields, end }: SeenAnswer): string {
  const isOwn = fields.some(([name]) => name.toLowerCase() === "porthole-page");
  return `${status}${isOwn ? " of the tunnel" : ""}${end === "cut" ? " cut" : ""}`;
}

/** What has reached the service on both ways. */
export function manyDifferences(direct: readonly SeenRequest[], tunnelled: readonly SeenRequest[]): Difference[] {
  const different = simple("request", String(direct.length), String(tunnelled.length), "count");
  if (different.length > 0) return different;
  return direct.flatMap((request, index) => requestDifferences(request, tunnelled[index] as SeenRequest));
}

function requestDifferences(direct: SeenRequest, tunnelled: SeenRequest): Difference[] {
  return [
    ...simple("request", direct.method, tunnelled.method, "method"),
    ...simple("request", direct.target, tunnelled.target, "target"),
    ...simple("request", direct.framing, tunnelled.framing, "framing"),
    ...fieldDifferences("field", direct.fields, tunnelled.fields),
    ...restDifferences(direct, tunnelled),
  ];
}

function informDifferences(direct: readonly Inform[], tunnelled: readonly Inform[]): Difference[] {
  const statuses = (informs: readonly Inform[]): string => informs.map(({ status }) => status).join(" ");
  const different = simple("informs", statuses(direct), statuses(tunnelled));
  if (different.length > 0) return different;
  return direct.flatMap(({ fields }, index) =>
    fieldDifferences("field", fields, tunnelled[index]?.fields ?? []).map((each) => ({
      ...each,
      part: each.part === "field" ? ("informs" as const) : each.part,
    })),
  );
}

function fieldDifferences(
  part: "field" | "trailer",
  direct: readonly Field[],
  tunnelled: readonly Field[],
): Difference[] {
  const names = new Set([...direct, ...tunnelled].map(([name]) => name.toLowerCase()));
  const different = [...names].flatMap((name) => simple(part, valuesOf(direct, name), valuesOf(tunnelled, name), name));
  const changed = new Set(different.map(({ name }) => name));
  const spellings = (fields: readonly Field[]): string[] =>
    fields
      .map(([name]) => name)
      .filter((name) => !changed.has(name.toLowerCase()) && !ofOneHop.includes(name.toLowerCase()));
  const [before, after] = [spellings(direct), spellings(tunnelled)];
  different.push(...simple("order", lower(before).join(" "), lower(after).join(" ")));
  different.push(...simple("spelling", before.toSorted().join(" "), after.toSorted().join(" ")));
  return different;
}

function lower(names: readonly string[]): string[] {
  return names.map((name) => name.toLowerCase());
}

function valuesOf(fields: readonly Field[], name: string): string {
  const values = fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
  return values.length === 0 ? "" : JSON.stringify(values);
}

function simple(part: Difference["part"], direct: string, tunnelled: string, name = ""): Difference[] {
  return direct === tunnelled ? [] : [{ part, name, direct, tunnelled }];
}
