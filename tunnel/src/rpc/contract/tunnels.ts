import * as v from "valibot";
import { id, optional, role, texts, type Data } from "../../schema/index.ts";
import { empty, identityRef, nullable, partial } from "./fields.ts";
import { relaySpec } from "./relays.ts";

const endpointFields = {
  identity: identityRef,
  /** A port, host:port, or an http, https, h2c or tcp URL. */
  local: v.string(),
};
const endpointOptions = {
  /** The user's bytes in the certificate's custom extension. */
  extensionHex: v.string(),
  /** Where the self-signed certificate is kept; in the state folder, by its client id, when absent. */
  certificatePath: v.string(),
};
export const endpointSpec = v.object({ ...endpointFields, ...partial(endpointOptions) });
export const endpointChanges = v.object(partial({ ...endpointFields, ...endpointOptions }));
export type EndpointSpec = Data<typeof endpointSpec>;
export type EndpointChanges = Data<typeof endpointChanges>;

/** `path`: `/api` is itself and everything below. `local`: as an endpoint's. */
export const routeSpec = v.object({ path: v.string(), local: v.string() });

/** Addresses, paths and the end must hold for everybody; of the credentials any one is enough. */
export const accessSpec = v.object({
  /** `192.0.2.1`, `10.0.0.0/8`, and with `!` before it what is kept out. */
  addresses: optional(texts),
  /** `/exact`, `/folder/*`, and with `!` before it what is kept closed. */
  paths: optional(texts),
  /** Milliseconds since 1970. */
  endsAt: optional(v.number()),
  /** `user:password` each. */
  users: optional(texts),
  bearerTokens: optional(texts),
  /** Whether links of `access/share` let in. */
  share: optional(v.boolean()),
  /** Senders of webhooks, by their signature: `github`, `stripe`, `hmac:HEADER` and others (docs/access.md). */
  webhook: optional(v.object({ scheme: v.string(), secrets: texts })),
});
/** Who may visit. Several ways in may stand beside one another; bounds hold for all of them. */
export type AccessSpec = Data<typeof accessSpec>;

export const acmeSpec = v.object({
  enabled: v.boolean(),
  email: optional(v.string()),
  staging: optional(v.boolean()),
  /** Let's Encrypt when absent. */
  directory: optional(v.string()),
  /** Where accounts are kept; in the state folder when absent. */
  accountsPath: optional(v.string()),
  /** Where the first name's certificate is kept; in the state folder when absent. */
  certificatePath: optional(v.string()),
});

/** What a tunnel may do without. */
const tunnelOptions = {
  /** The remembered ones when absent. */
  relays: v.array(relaySpec),
  suffix: v.string(),
  /** A friendly name instead of the client id, where the relay grants it. */
  name: v.string(),
  transport: v.picklist(["auto", "quic", "h2"]),
  poolSize: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(32)),
  /** Whether visitors' HTTP is read: `auto` decides by what a visitor says. */
  mode: v.picklist(["auto", "http", "tcp"]),
  /** Whether the local service sees the public name or localhost; `auto` changes over when it refuses the name. */
  headers: v.picklist(["auto", "transparent", "localhost"]),
  /** Paths of the primary name that other local services answer. */
  routes: v.array(routeSpec),
  /** Visitors get a page that says so, and reach nothing. */
  paused: v.boolean(),
  /** Connections to local services begin with a PROXY protocol v2 header, which has the visitor's address. */
  localProxyProtocol: v.boolean(),
  /** PEM certificates of CAs that local https services may have theirs from, besides the public ones. No others are accepted then. */
  localCa: v.string(),
  /** Any certificate of a local https service is accepted. */
  localInsecure: v.boolean(),
  /** Who may visit, of both endpoints; everybody when absent. */
  access: accessSpec,
  /**
   * Records requests in memory, for `inspect/...`; not when absent. `redact`: headers, fields and parameters to take out besides those
   * that always are. With `keep`, the end of the daemon's input or `shutdown` writes them to the file at `path`, encrypted with `key`
   * (32 bytes, base64). The next start takes them from there within ten minutes, and removes the file. `tunnel/stop` forgets them.
   */
  inspect: v.object({ redact: optional(texts), keep: optional(v.object({ path: v.string(), key: v.string() })) }),
  /** A CA's certificate for the public name; asked for when absent. */
  acme: acmeSpec,
  /**
   * The tunnel stops once the lock file at `path` (common's `lockFile`) names another holder, or none: the caller may hang, and can't
   * say itself that another one has taken over.
   */
  lease: v.object({ path: v.string(), holder: v.string() }),
};

export const tunnelSpec = v.object({
  /** Chosen by the caller, unique among its tunnels. */
  id,
  primary: endpointSpec,
  /** A second name with a self-signed certificate. */
  secondary: optional(endpointSpec),
  ...partial(tunnelOptions),
});
export type TunnelSpec = Data<typeof tunnelSpec>;

const startSpec = v.object({
  ...tunnelSpec.entries,
  /** Stops the tunnel when the connection that has started it ends, however that comes about. */
  untilCallerLeaves: optional(v.boolean()),
});

/** What is absent stays as it is, in an endpoint too; `null` takes it away. */
export const tunnelChanges = v.object({
  primary: optional(endpointChanges),
  secondary: optional(v.nullable(endpointChanges)),
  ...partial(nullable(tunnelOptions)),
});
export type TunnelChanges = Data<typeof tunnelChanges>;

export const tunnelSchemas = {
  "tunnel/start": startSpec,
  "tunnel/stop": v.object({ id }),
  "tunnel/list": empty,
  /** The newest states, visits and requests of a tunnel, the oldest first: at most `limit`, and 200. */
  "tunnel/history": v.object({ id, limit: optional(v.pipe(v.number(), v.integer(), v.minValue(1))) }),
  /** Changes a running tunnel without a new name: what it can take in place it takes; the rest starts again behind the same id. */
  "tunnel/update": v.object({ id, changes: tunnelChanges }),
  /**
   * Checks each hop in turn: local port, relay, name, certificate, a request through the whole path. A tunnel that does not run
   * is given as it would be started, and is up for as long as that takes.
   */
  doctor: v.union(
    [v.object({ tunnel: id, role: optional(role) }), v.object({ spec: tunnelSpec, role: optional(role) })],
    "an object with tunnel or spec",
  ),
};
