import * as v from "valibot";
import { PortholeError } from "@porthole/common/errors";
import { callerSchemas, requestSchemas, type Method, type Requests, type SignResult } from "./contract/index.ts";

export function isMethod(text: string): text is Method {
  return Object.hasOwn(requestSchemas, text);
}

/** The parameters as the contract says. Throws `usage` that names the field and never its value, which may be a key. */
export function readParams<M extends Method>(method: M, params: unknown): Requests[M][0] {
  const schema: v.GenericSchema = requestSchemas[method];
  const result = v.safeParse(schema, params ?? {}, { abortEarly: true });
  if (result.success) {
    const list = listForObject(params, result.output, "");
    if (list === undefined) return result.output as Requests[M][0];
    throw new PortholeError("usage", `${method}: ${list || "params"} should be an object, and is an array`, { hint });
  }
  const { where, issue } = innermost(result.issues[0], "");
  throw new PortholeError("usage", `${method}: ${where || "params"} ${expectation(issue)}`, {
    hint,
  });
}

const hint = "docs/rpc.md says what each request takes.";

/** Returns where a list was read as an object without fields, which valibot does: access rules would be gone then. */
function listForObject(given: unknown, read: unknown, where: string): string | undefined {
  if (typeof given !== "object" || given === null || typeof read !== "object" || read === null) return undefined;
  if (Array.isArray(given) && !Array.isArray(read)) return where;
  return Object.entries(read)
    .map(([key, each]) => listForObject((given as Record<string, unknown>)[key], each, where ? `${where}.${key}` : key))
    .find((each) => each !== undefined);
}

/** A program's answer as the contract says. Throws `protocol`, and never repeats it. */
export function readSignResult(result: unknown): SignResult {
  const read = v.safeParse(callerSchemas["identity/sign"].result, result);
  if (read.success) return read.output;
  throw new PortholeError("protocol", "the program's answer has no signature in base64");
}

interface Trouble {
  readonly where: string;
  readonly issue: v.BaseIssue<unknown>;
}

/** Returns what is wrong inside the alternative that has the right fields. */
function innermost(issue: v.BaseIssue<unknown>, parent: string): Trouble {
  const where = [parent, v.getDotPath(issue) ?? ""].filter((part) => part !== "").join(".");
  const inner = issue.issues?.find((each) => each.received !== "undefined");
  return inner && issue.type === "union" && (v.getDotPath(inner) ?? "") !== ""
    ? innermost(inner, where)
    : { where, issue };
}

function expectation(issue: v.BaseIssue<unknown>): string {
  if (issue.received === "undefined") return "is missing";
  return `should be ${expected(issue)}, and is ${kindOf(issue.input)}`;
}

const kinds: Readonly<Record<string, string>> = { Object: "an object", Array: "an array" };

function expected({ type, message, expected: what, requirement }: v.BaseIssue<unknown>): string {
  if (type === "union") return message;
  if (type === "integer") return "a whole number";
  if (type === "non_empty") return "something";
  if (type.startsWith("min_")) return `at least ${JSON.stringify(requirement)}`;
  if (type.startsWith("max_")) return `at most ${JSON.stringify(requirement)}`;
  return kinds[what ?? ""] ?? (what?.includes('"') ? what : `a ${what ?? "value"}`);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (value === "") return "empty";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
