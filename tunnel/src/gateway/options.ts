import type { AccessPolicy } from "../access/index.ts";
import type { ExchangeObserver } from "../http/index.ts";
import type { UnreadAnswers } from "./unread-answers.ts";
import type { Route } from "./services/routes.ts";

/** `auto` reads HTTP where the visitor's ALPN or first bytes say so, and carries everything else as it is; `tcp` parses nothing. */
export type GatewayMode = "auto" | "http" | "tcp";
/** `auto` begins as `transparent` and becomes `localhost` for a service that has refused the public name. */
export type HeaderMode = "auto" | "transparent" | "localhost";

export const gatewayModes = ["auto", "http", "tcp"] as const satisfies readonly GatewayMode[];
export const headerModes = ["auto", "transparent", "localhost"] as const satisfies readonly HeaderMode[];

/** How one endpoint treats its visitors. All of it can be changed while visitors are there; it holds for what begins afterwards. */
export interface GatewayOptions {
  readonly mode: GatewayMode;
  readonly headers: HeaderMode;
  /** Paths that lead to other services than the endpoint's own. */
  readonly routes: readonly Route[];
  /** Visitors get a page that says so, and reach nothing. */
  readonly paused: boolean;
  /** Connections to the services begin with a PROXY protocol v2 header, which has the visitor's address. */
  readonly proxyProtocol: boolean;
  /** Everybody is let in when absent. */
  readonly access?: AccessPolicy | undefined;
  readonly observer?: ExchangeObserver | undefined;
  /** Bounds what waits for visitors; the process's own when absent. */
  readonly unread?: UnreadAnswers | undefined;
}

export const defaultGatewayOptions: GatewayOptions = {
  mode: "auto",
  headers: "auto",
  routes: [],
  paused: false,
  proxyProtocol: false,
};
