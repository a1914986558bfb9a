import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toJsonSchemaDefs } from "@valibot/to-json-schema";
import { rpcVersion } from "@porthole/tunnel/rpc";
import { callerSchemas, requestSchemas, type Method } from "@porthole/tunnel/rpc/contract";
import { namedSchemas, notificationSchemas, resultSchemas } from "@porthole/tunnel/rpc/contract/results";

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

export interface OpenRpc {
  readonly methods: readonly {
    readonly name: string;
    readonly summary?: string;
    readonly "x-params": Schema;
    readonly params: readonly { readonly name: string; readonly required: boolean; readonly schema: Schema }[];
    readonly result: { readonly schema: Schema };
  }[];
  /** Notifications of the daemon, which OpenRPC has no place for. */
  readonly "x-notifications": readonly { readonly name: string; readonly summary?: string; readonly schema: Schema }[];
  /** Requests of the daemon, which the program answers. */
  readonly "x-caller-methods": readonly {
    readonly name: string;
    readonly summary?: string;
    readonly "x-params": Schema;
    readonly result: { readonly schema: Schema };
  }[];
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

type Schemas = Parameters<typeof toJsonSchemaDefs>[0];

/** The whole contract as an OpenRPC document. `components.schemas` has the parameters of each method as one object, too. */
export function openRpc(): OpenRpc {
  const docs = docComments();
  const all: Schemas = { ...namedSchemas };
  /** The name of the schema, which gets this one when it has none. */
  const refTo = (schema: Schemas[string], name: string): Schema => {
    const known = Object.entries(all).find(([, each]) => each === schema)?.[0];
    all[known ?? name] = schema;
    return { $ref: refPrefix + (known ?? name) };
  };
  const used = methods.map((method) => ({
    name: method,
    params: refTo(requestSchemas[method], `${pascalCase(method)}Params`),
    result: refTo(resultSchemas[method], `${pascalCase(method)}Result`),
  }));
  const notifications = Object.entries(notificationSchemas).map(([name, schema]) => ({
    name,
    ...docs.of(name),
    schema: refTo(schema, `${pascalCase(name)}Notification`),
  }));
  const asked = Object.entries(callerSchemas).map(([name, { params, result }]) => ({
    ...{ name, ...docs.of(name), "x-params": refTo(params, "SignParams") },
    result: { name: "result", schema: refTo(result, "SignResult") },
  }));
  const schemas = Object.fromEntries(
    Object.entries(toJsonSchemaDefs(all, { errorMode: "throw" })).map(([name, schema]) => [
      name,
      described(docs, name, withRefs(schema) as Schema),
    ]),
  );
  return {
    ...{ openrpc: "1.3.2", info: { title: "Porthole", version: `${rpcVersion}.0.0`, license: { name: "MIT" } } },
    methods: used.map(({ name, params, result }) => ({
      ...{ name, ...docs.of(name), paramStructure: "by-name" },
      ...{ params: descriptors(schemas[refName(params)]), "x-params": params },
      ...{ result: { name: "result", schema: result }, errors: [failure] },
    })),
    "x-notifications": notifications,
    "x-caller-methods": asked,
    components: { schemas },
  };
}

const methods = Object.keys(requestSchemas) as Method[];
const refPrefix = "#/components/schemas/";
/** A failed request has RpcErrorData in the error's `data`; JSON-RPC's own numbers are used where it has one. */
const failure = { code: -32_000, message: "See RpcErrorData", data: { $ref: `${refPrefix}RpcErrorData` } };

/** `tunnel/start` as `TunnelStart`. */
export function pascalCase(text: string): string {
  return text.replaceAll(/(?:^|[/_-])(\w)/g, (_all, letter: string) => letter.toUpperCase());
}

/** The name that a reference leads to. */
export function refName({ $ref = "" }: Schema): string {
  return $ref.slice(refPrefix.length);
}

/** The parameters one by one. Of alternatives each may be absent; `x-params` has them exactly. */
function descriptors(schema: Schema = {}): OpenRpc["methods"][number]["params"] {
  return (schema.anyOf ?? [schema])
    .flatMap(({ properties = {}, required = [] }) =>
      Object.entries(properties).map(([name, each]) => ({
        name,
        required: !schema.anyOf && required.includes(name),
        schema: each,
      })),
    )
    .filter(({ name }, index, list) => list.findIndex((each) => each.name === name) === index);
}

/** References as OpenRPC has them. */
function withRefs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withRefs);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      key === "$ref" ? String(each).replace(/^#\/(\$defs|definitions)\//, refPrefix) : withRefs(each),
    ]),
  );
}

/** The schema with the doc comments of the type with this name. */
function described(docs: Docs, name: string, schema: Schema): Schema {
  const properties = schema.properties && {
    properties: Object.fromEntries(
      Object.entries(schema.properties).map(([key, each]) => [key, withText(each, docs.ofField(name, key))]),
    ),
  };
  const choices = (list: readonly Schema[] | undefined) => list?.map((each) => described(docs, name, { ...each }));
  const { anyOf, oneOf } = { anyOf: choices(schema.anyOf), oneOf: choices(schema.oneOf) };
  return { ...schema, ...properties, ...(anyOf && { anyOf }), ...(oneOf && { oneOf }) };
}

function withText(schema: Schema, text: string | undefined): Schema {
  return text === undefined ? schema : { description: text, ...schema };
}

/** Types and constants whose comments describe a schema, where they don't have its name. */
const containers: Readonly<Record<string, readonly string[]>> = {
  TunnelSpec: ["tunnelSpec", "tunnelOptions"],
  TunnelStartParams: ["startSpec", "tunnelSpec", "tunnelOptions"],
  TunnelChanges: ["tunnelChanges", "tunnelOptions"],
  EndpointSpec: ["endpointFields", "endpointOptions"],
  EndpointChanges: ["endpointFields", "endpointOptions"],
  InitializeParams: ["initialize"],
  EndpointView: ["endpointView", "EndpointState"],
  RelayStatusView: ["RelayStatus"],
  CertificateView: ["NameCertificate", "CertificateState"],
  VisitView: ["VisitReport"],
  RequestView: ["RequestReport"],
  DoctorCheck: ["Check", "Finding"],
  TransportTest: ["TransportOutcome"],
  ReplayEdit: ["replayEdit"],
  ShareLink: ["StoredShareLink"],
  SignParams: ["signParams"],
  SignResult: ["signResult"],
};

const sources = [
  ...["errors.ts", "contract/fields.ts", "contract/index.ts", "contract/relays.ts", "contract/tunnels.ts"],
  ...["contract/signing.ts", "contract/visitors.ts", "contract/results/index.ts", "contract/results/tunnels.ts"],
].map((file) => `tunnel/src/rpc/${file}`);
const others = [
  ...["access/policy.ts", "access/share-links.ts", "doctor/check.ts", "gateway/gateway.ts", "http/reports.ts"],
  ...[
    "inspector/queries.ts",
    "inspector/views.ts",
    "tunnel/endpoint-certificates.ts",
    "tunnel/forwarder.ts",
    "tunnel/state.ts",
  ],
  "tunnel/test-relay.ts",
].map((file) => `tunnel/src/${file}`);

interface Docs {
  of(name: string): { readonly summary?: string };
  ofField(schema: string, field: string): string | undefined;
}

/** Reads the doc comments of fields out of the sources: a schema at run time has none. */
function docComments(): Docs {
  const fields = new Map<string, string>();
  const any = new Map<string, string>();
  for (const file of [...sources, ...others, "common/src/util/finding.ts"]) {
    let container = "";
    let comment: string | undefined;
    const text = readFileSync(join(root, file), "utf8").replaceAll(
      /\/\*\*([\s\S]*?)\*\//g,
      (_all, body: string) => `/** ${body.replaceAll(/\s*\n\s*\*\s*/g, " ").trim()} */`,
    );
    for (const line of text.split("\n")) {
      container = /^(?:export )?(?:const|interface|type) (\w+)/.exec(line)?.[1] ?? container;
      const field = /^\s+(?:readonly )?"?([\w/]+)"?\??:/.exec(line)?.[1];
      if (field !== undefined && comment !== undefined) {
        if (!fields.has(`${container}.${field}`)) fields.set(`${container}.${field}`, comment);
        if (!any.has(field)) any.set(field, comment);
      }
      comment = /\/\*\* (.*) \*\/$/.exec(line)?.[1];
    }
  }
  return {
    of: (name) => {
      const text = name.includes("/") || name === "doctor" ? any.get(name) : undefined;
      return text === undefined ? {} : { summary: text };
    },
    ofField: (schema, field) =>
      (containers[schema] ?? [schema, `${schema.charAt(0).toLowerCase()}${schema.slice(1)}`])
        .map((container) => fields.get(`${container}.${field}`))
        .find((text) => text !== undefined),
  };
}

const root = join(import.meta.dirname, "..");
