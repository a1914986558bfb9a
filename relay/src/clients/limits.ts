/** Bounds of a client's session. */
export const limits = {
  /** Keys that may be exposed over one link, its own included. A client runs no more tunnels than that. */
  namesPerLink: 100,
  /** Messages that expose a key, or end that: each costs the check of a signature, and maybe a question to a webhook. */
  exposes: { atOnce: 200, perSecond: 2 },
} as const;
