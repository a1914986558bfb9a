/** The panel's views, beside the Ports view. */
export const panel = { id: "porthole", title: "view.panel", icon: "images/panel.svg" } as const;

export const views = {
  "porthole.endpoints": { name: "view.endpoints", type: "tree", icon: "images/panel.svg", initialSize: 2 },
  "porthole.requests": { name: "view.requests", type: "webview", icon: "images/panel.svg", initialSize: 3 },
} as const;

export type ViewId = keyof typeof views;

/** Kinds of items of the tree, `viewItem` in `when` clauses. */
export const items = {
  running: "endpoint.running",
  /** It has a secondary endpoint. */
  paired: "endpoint.paired",
  /** It has no URL now: the relay is away or refuses, or the start failed. */
  waiting: "endpoint.waiting",
  /** Another window exposes it. */
  elsewhere: "endpoint.elsewhere",
  stopped: "endpoint.stopped",
  trial: "trial",
  secondary: "secondary",
  relay: "relay",
  /** The section of the relays in the settings, and one of them. */
  relays: "relays",
  configured: "relay.configured",
  certificate: "certificate",
  access: "access",
  local: "local",
} as const;
