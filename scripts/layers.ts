/**
 * Defines which package and which folder may import which. Imports point down only. `layer-rules.ts` makes rules of the linter of it,
 * and `layers.test.ts` breaks every rule once.
 */

export interface Folder {
  /** What it may import of its own package (by path) and of the packages below (by name), through their doors. */
  readonly imports: readonly string[];
  /** Files behind a door that are open to it nevertheless. */
  readonly opens?: readonly string[];
  /** What the message says when it imports anything else. */
  readonly instead: string;
}

export interface Package {
  readonly name: string;
  /** Packages of ours that it may import. package.json says the same, and npm installs no others. */
  readonly imports: readonly string[];
  readonly instead: string;
}

const base = ["@porthole/common/errors", "@porthole/common/log", "@porthole/common/util", "@porthole/common/version"];

export const packages: Readonly<Record<string, Package>> = {
  common: {
    name: "@porthole/common",
    imports: [],
    instead: "common is below every other package and knows none of them.",
  },
  tunnel: {
    name: "@porthole/tunnel",
    imports: ["common"],
    instead: "tunnel is the client's runtime: it knows common and neither the relay nor the programs that start it.",
  },
  relay: {
    name: "@porthole/relay",
    imports: ["common"],
    instead: "relay and tunnel never know each other; what both need belongs to common.",
  },
  client: {
    name: "porthole",
    imports: ["common", "tunnel"],
    instead: "The command line drives the tunnel; only its demo starts a relay.",
  },
  extension: {
    name: "@porthole/extension",
    imports: ["common", "tunnel"],
    instead: "The extension drives the tunnel; only its daemon, the process with the tunnels, starts a relay.",
  },
};

const transport: Folder = {
  imports: ["identity", "protocol", "util"],
  instead: "A transport knows the contract (../types.ts) and nothing above it.",
};

/** Every folder of common/src and tunnel/src. `errors.ts`, `log.ts`, `version.ts` and `node-support.ts` are open to all of them. */
export const folders: Readonly<Record<"common" | "tunnel", Readonly<Record<string, Folder>>>> = {
  common: {
    util: { imports: [], instead: "util serves every folder and knows none of them." },
    protocol: {
      imports: ["util"],
      instead: "protocol is below everything that speaks it: take what it needs as an argument.",
    },
    identity: {
      imports: ["protocol", "util"],
      instead: "identity is keys and certificates; links and tunnels use it.",
    },
    options: { imports: ["protocol", "util"], instead: "options only read; the program hands the values on." },
    control: { imports: ["util"], instead: "control carries commands between two processes and knows no command." },
    invite: {
      imports: ["identity", "options", "protocol", "util"],
      instead: "An invite is a text; programs make it and use it.",
    },
    link: {
      imports: ["identity", "protocol", "util"],
      instead: "The link contract is below the tunnel and knows no transport.",
    },
    "link/http2": transport,
    "link/quic": transport,
    acme: {
      imports: ["identity", "protocol", "util"],
      // Certificate requests and answers are X.509 too.
      opens: ["identity/der.ts", "identity/oids.ts"],
      instead: "acme gets certificates; the servers that present them call it.",
    },
  },
  tunnel: {
    http: { imports: base, instead: "http is the vocabulary of the gateway and everything that it asks or notifies." },
    access: {
      imports: [...base, "@porthole/common/protocol", "http"],
      instead: "Access rules judge a request's head; the gateway asks them.",
    },
    gateway: {
      imports: [...base, "@porthole/common/protocol", "access", "http"],
      instead: "The gateway reads HTTP; the tunnel hands it streams.",
    },
    inspector: {
      imports: [...base, "@porthole/common/protocol", "gateway", "http", "schema"],
      instead: "The inspector is notified of exchanges through http/exchange.ts and knows neither tunnel nor rules.",
    },
    tunnel: {
      imports: [
        ...base,
        ...["acme", "identity", "link", "protocol"].map((folder) => `@porthole/common/${folder}`),
        "gateway",
        "http",
      ],
      instead: "The tunnel sees @porthole/common/link; transports come in as the dialers of its options.",
    },
    dialers: {
      imports: [
        ...base,
        ...["link", "link/http2", "link/quic", "options", "protocol"].map((folder) => `@porthole/common/${folder}`),
        "tunnel",
      ],
      instead: "dialers are the transports of this machine, for the program that starts tunnels.",
    },
    doctor: {
      imports: [...base, "@porthole/common/identity", "@porthole/common/protocol", "gateway", "tunnel"],
      instead: "The doctor looks at a tunnel from outside; the program that shows its report calls it.",
    },
    expose: {
      imports: [...base, "dialers", "rpc", "rpc/daemon"],
      instead: "expose is for programs that expose something themselves: it drives the daemon's runtime in-process.",
    },
    schema: {
      imports: [],
      instead: "schema is the vocabulary of schemas: it knows none of them.",
    },
    settings: {
      imports: [],
      instead: "settings is the schema of what a file says of tunnels: an editor loads it without them.",
    },
    rpc: {
      // The data of access rules and inspector: types only.
      imports: [...base, "@porthole/common/control", "access", "http", "inspector"],
      instead: "rpc is the contract and its two ends: an editor loads it without the tunnels, which are rpc/daemon's.",
    },
    requests: {
      imports: ["@porthole/common/errors", "rpc"],
      instead:
        "requests is the Requests page and what it says to its host: it sees the contract, and browsers load it.",
    },
    assistant: {
      imports: [...base, "@porthole/common/control", "rpc"],
      instead: "assistant is what AI assistants may do with tunnels, on top of the contract: an editor loads it, too.",
    },
    "rpc/contract": {
      imports: ["@porthole/common/errors", "access", "inspector", "schema"],
      instead: "The contract is schemas, and types of what they lead to: an editor loads it without the tunnels.",
    },
    "rpc/daemon": {
      imports: [
        ...base,
        ...["acme", "control", "identity", "invite", "options", "protocol"].map(
          (folder) => `@porthole/common/${folder}`,
        ),
        ...["access", "doctor", "gateway", "http", "inspector", "tunnel"],
      ],
      instead: "The daemon drives the tunnel through ../../tunnel/index.ts; transports and relays are handed in.",
    },
  },
};

/** The folders of `common/src/link`. */
export const transports = ["http2", "quic"];
