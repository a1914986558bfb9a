import * as v from "valibot";
import { PortholeError } from "@porthole/common/errors";
import type { Method, Requests } from "./contract.ts";

/** Longer than any id or name that makes sense; a whole message has its own limit. */
const maxIdLength = 200;

const id = v.pipe(v.string(), v.nonEmpty(), v.maxLength(maxIdLength));
const passphrase = v.pipe(v.string(), v.nonEmpty());
const empty = v.object({});
const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
const identity = v.union([v.object({ pem: v.string() }), v.object({ path: v.string() })], "an object with pem or path");
const role = v.exactOptional(v.picklist(["primary", "secondary"]));
const ofTunnel = v.object({ tunnel: id });
const filter = v.object({ text: v.string() });
const position = v.pipe(v.number(), v.integer(), v.minValue(0));
const ref = v.object({ id });

const relay = v.object({
  address: v.string(),
  fingerprint: v.exactOptional(v.string()),
  token: v.exactOptional(v.string()),
  label: v.exactOptional(v.string()),
});

const endpointFields = {
  identity,
  local: v.string(),
  extensionHex: v.exactOptional(v.string()),
};
const endpoint = v.object(endpointFields);
const partOfEndpoint = v.object(optional(endpointFields));

const texts = v.array(v.string());

/** What a tunnel may do without. */
const tunnelOptions = {
  relays: v.array(relay),
  suffix: v.string(),
  name: v.string(),
  transport: v.picklist(["auto", "quic", "h2"]),
  poolSize: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(32)),
  mode: v.picklist(["auto", "http", "tcp"]),
  headers: v.picklist(["auto", "transparent", "localhost"]),
  routes: v.array(v.object({ path: v.string(), local: v.string() })),
  paused: v.boolean(),
  localProxyProtocol: v.boolean(),
  access: v.object({
    addresses: v.exactOptional(texts),
    paths: v.exactOptional(texts),
    endsAt: v.exactOptional(v.number()),
    users: v.exactOptional(texts),
    bearerTokens: v.exactOptional(texts),
    share: v.exactOptional(v.boolean()),
    webhook: v.exactOptional(v.object({ scheme: v.string(), secrets: texts })),
  }),
  inspect: v.object({ redact: v.exactOptional(texts) }),
  acme: v.object({
    enabled: v.boolean(),
    email: v.exactOptional(v.string()),
    staging: v.exactOptional(v.boolean()),
    directory: v.exactOptional(v.string()),
  }),
};

const tunnel = v.object({
  id,
  primary: endpoint,
  secondary: v.exactOptional(endpoint),
  ...optional(tunnelOptions),
});
const changes = v.object({
  primary: v.exactOptional(partOfEndpoint),
  secondary: v.exactOptional(v.nullable(partOfEndpoint)),
  ...optional(nullable(tunnelOptions)),
});

/** What each request takes; the compiler holds it against the contract. Fields that are not known are left out. */
const schemas = {
  initialize: v.object({
    rpcVersion: v.number(),
    client: v.object({ name: v.string(), version: v.string() }),
    stateDir: v.exactOptional(v.pipe(v.string(), v.nonEmpty())),
    owner: v.exactOptional(identity),
    logLevel: v.exactOptional(v.picklist(["debug", "info", "warn", "error"])),
  }),
  shutdown: empty,
  "tunnel/start": tunnel,
  "tunnel/stop": ref,
  "tunnel/list": empty,
  "tunnel/update": v.object({ id, changes }),
  "inspect/list": v.object({
    tunnel: id,
    filter: v.exactOptional(filter),
    before: v.exactOptional(v.number()),
    limit: v.exactOptional(v.number()),
  }),
  "inspect/get": v.object({ tunnel: id, id, unredacted: v.exactOptional(v.boolean()) }),
  "inspect/body": v.object({
    tunnel: id,
    id,
    side: v.picklist(["request", "response"]),
    unredacted: v.exactOptional(v.boolean()),
    offset: v.exactOptional(position),
    limit: v.exactOptional(position),
  }),
  "inspect/messages": v.object({
    tunnel: id,
    id,
    after: v.exactOptional(v.number()),
    limit: v.exactOptional(v.number()),
    unredacted: v.exactOptional(v.boolean()),
  }),
  "inspect/replay": v.object({
    tunnel: id,
    id,
    edit: v.exactOptional(
      v.object({
        method: v.exactOptional(v.string()),
        target: v.exactOptional(v.string()),
        headers: v.exactOptional(
          v.array(v.object({ name: v.string(), value: v.string(), redacted: v.exactOptional(v.boolean()) })),
        ),
        body: v.exactOptional(
          v.union([v.object({ text: v.string() }), v.object({ base64: v.string() })], "an object with text or base64"),
        ),
      }),
    ),
  }),
  "inspect/export": v.object({
    tunnel: id,
    format: v.picklist(["curl", "fetch", "har"]),
    ids: v.array(v.string()),
    filter: v.exactOptional(filter),
    unredacted: v.exactOptional(v.boolean()),
    to: v.exactOptional(v.picklist(["public", "service"])),
  }),
  "inspect/clear": ofTunnel,
  "inspect/record": v.object({ tunnel: id, recording: v.boolean() }),
  "access/share": v.object({
    tunnel: id,
    label: v.exactOptional(v.string()),
    forMs: v.exactOptional(v.number()),
  }),
  "access/links": ofTunnel,
  "access/revoke": v.object({ tunnel: id, link: v.string() }),
  "identity/create": empty,
  "identity/import": v.object({ pem: v.string(), passphrase: v.exactOptional(passphrase) }),
  "identity/export": v.object({ identity, passphrase: v.exactOptional(passphrase) }),
  "identity/fingerprint": v.object({ identity }),
  "relay/list": empty,
  "relay/add": v.union([v.object({ relay }), v.object({ invite: v.string() })], "an object with relay or invite"),
  "relay/remove": v.object({ address: v.string() }),
  "relay/parseInvite": v.object({ invite: v.string() }),
  "relay/test": v.object({ relay, identity: v.exactOptional(identity) }),
  "trialRelay/start": v.object({ publicPort: v.exactOptional(port) }),
  "trialRelay/stop": empty,
  doctor: v.union([v.object({ tunnel: id, role }), v.object({ spec: tunnel, role })], "an object with tunnel or spec"),
} satisfies { readonly [M in Method]: v.GenericSchema<unknown, Requests[M][0]> };

export function isMethod(text: string): text is Method {
  return Object.hasOwn(schemas, text);
}

/** The parameters as the contract says. Throws `usage` that names the field and never its value, which may be a key. */
export function readParams<M extends Method>(method: M, params: unknown): Requests[M][0] {
  const schema: v.GenericSchema<unknown, Requests[M][0]> = schemas[method];
  const result = v.safeParse(schema, params ?? {}, { abortEarly: true });
  if (result.success) return result.output;
  const { where, issue } = innermost(result.issues[0], "");
  throw new PortholeError("usage", `${method}: ${where || "params"} ${expectation(issue)}`, {
    hint: "docs/rpc.md says what each request takes.",
  });
}

interface Trouble {
  readonly where: string;
  readonly issue: v.BaseIssue<unknown>;
}

/** Of an alternative that has the right fields it is said what is wrong inside. */
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

function optional<T extends v.ObjectEntries>(entries: T): { [K in keyof T]: v.ExactOptionalSchema<T[K], undefined> } {
  return mapped(entries, (schema) => v.exactOptional(schema as v.GenericSchema)) as never;
}

function nullable<T extends v.ObjectEntries>(entries: T): { [K in keyof T]: v.NullableSchema<T[K], undefined> } {
  return mapped(entries, (schema) => v.nullable(schema as v.GenericSchema)) as never;
}

function mapped(entries: v.ObjectEntries, change: (schema: unknown) => unknown): unknown {
  return Object.fromEntries(Object.entries(entries).map(([key, schema]) => [key, change(schema)]));
}
