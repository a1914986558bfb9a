import type { OxlintOverride } from "oxlint";

/**
 * Who may import whom, as rules of the linter. Imports point down only; each message says where to go instead.
 * `layers.test.ts` breaks every rule once.
 */

interface Folder {
  /** Other folders of common/src that it may import, through their doors. */
  readonly imports: readonly string[];
  /** Files behind a door that are open to it all the same. */
  readonly opens?: readonly string[];
  /** What the message says when it imports another one. */
  readonly instead: string;
}

const transport: Folder = {
  imports: ["identity", "protocol", "util"],
  instead: "A transport knows the contract (../types.ts) and nothing above it.",
};

/** Every folder of common/src with running code. `errors.ts`, `log.ts` and `version.ts` are open to all of them. */
export const folders: Readonly<Record<string, Folder>> = {
  util: { imports: [], instead: "util serves every folder and knows none of them." },
  protocol: { imports: ["util"], instead: "protocol is below whoever speaks it: take what it needs as an argument." },
  identity: { imports: ["protocol", "util"], instead: "identity is keys and certificates; links and tunnels use it." },
  options: { imports: ["protocol", "util"], instead: "options only read; the program hands the values on." },
  invite: {
    imports: ["identity", "options", "protocol", "util"],
    instead: "An invite is a text; programs make it and use it.",
  },
  link: {
    imports: ["identity", "protocol", "util"],
    instead: "The link contract is below the tunnel and knows no transport.",
  },
  "link/memory": transport,
  "link/http2": transport,
  "link/quic": transport,
  acme: {
    imports: ["identity", "protocol", "util"],
    // What it asks for and answers with is X.509 too.
    opens: ["identity/der.ts", "identity/oids.ts"],
    instead: "acme gets certificates; whoever serves them calls it.",
  },
  dialers: {
    imports: ["link", "link/http2", "link/quic", "options", "protocol", "tunnel", "util"],
    instead: "dialers are the transports of this machine, for whoever starts tunnels.",
  },
  tunnel: {
    imports: ["acme", "gateway", "identity", "link", "protocol", "util"],
    instead: "The tunnel sees ../link/index.ts; transports come in as the dialers of its options.",
  },
  gateway: { imports: ["protocol", "util"], instead: "The gateway reads HTTP; the tunnel hands it streams." },
  "gateway/access": {
    imports: ["protocol", "util"],
    instead: "Access rules judge a request's head; whoever serves it asks them.",
  },
  "gateway/inspector": {
    imports: ["protocol", "util"],
    instead: "The inspector is told of exchanges through ../exchange.ts and knows neither tunnel nor rules.",
  },
  doctor: {
    imports: ["gateway", "identity", "protocol", "tunnel", "util"],
    instead: "The doctor looks at a tunnel from outside; whoever shows what it found calls it.",
  },
  rpc: {
    // The data of access rules and inspector: types only.
    imports: ["gateway", "util"],
    instead: "rpc is the contract and its two ends: an editor loads it without the tunnels, which are rpc/agent's.",
  },
  "rpc/agent": {
    imports: ["doctor", "gateway", "identity", "invite", "options", "protocol", "tunnel", "util"],
    instead: "The agent drives the tunnel through ../../tunnel/index.ts; transports and relays are handed in.",
  },
};

const transports = ["memory", "http2", "quic"];
const packages: Readonly<Record<string, string>> = {
  relay: "@porthole/relay",
  client: "porthole",
  extension: "@porthole/extension",
};

/** What a `group` excepts with `!` is excepted from every ban of the list, and a `regex` can't look ahead. */
type Ban = ({ readonly regex: string } | { readonly group: string[] }) & { readonly message: string };

/** Where several fit a file, the last one's list replaces the others'. */
export const layerOverrides: OxlintOverride[] = [
  restrictImports(
    ["common/src/*.ts"],
    [
      {
        regex: "^\\.|^@?porthole",
        message: "errors, log and version are open to every folder, so they import nothing of ours.",
      },
    ],
  ),
  ...Object.keys(folders).map((folder) => restrictImports([`common/src/${folder}/**`], folderBans(folder))),
  restrictImports(["common/src/**/*.test.ts", "common/src/testing/**"], [endsBan()]),
  ...Object.keys(packages).flatMap((name) => [
    restrictImports(
      [`${name}/src/**`],
      [...packageBans(name), testingBan("^@porthole/common/testing"), quicBan(), forgeBan()],
    ),
    restrictImports([`${name}/src/**/*.test.ts`], packageBans(name)),
  ]),
  // The process with the tunnels carries a relay for trying things out. It never sees the editor.
  restrictImports(
    ["extension/src/agent/**"],
    [
      ...packageBans("extension", ["relay"]),
      testingBan("^@porthole/common/testing"),
      quicBan(),
      forgeBan(),
      {
        regex: "^vscode$|^\\.\\./",
        message:
          "The agent's process is a program of its own: it knows common and the trial relay, and nothing of the editor.",
      },
    ],
  ),
  ...["controller", "manifest", "ports"].map((folder) =>
    restrictImports(
      [`extension/src/${folder}/**`],
      [
        ...packageBans("extension"),
        ...tunnelBans(),
        {
          regex: "^vscode$|/surfaces/|/agent/|/requests/",
          message: `${folder} runs without an editor: surfaces paint what it says, and what it needs of the editor is handed in.`,
        },
      ],
    ),
  ),
  restrictImports(
    ["extension/src/*.ts", "extension/src/surfaces/**", "extension/src/requests/**"],
    [...packageBans("extension"), ...tunnelBans()],
  ),
  restrictImports(["extension/src/**/*.test.ts"], packageBans("extension")),
  restrictGlobals(
    "common/src/protocol/**",
    ["Date", "performance", "process", "setImmediate", "setInterval", "setTimeout"],
    "protocol is pure: take the time, or the bytes, as an argument.",
  ),
  restrictGlobals(
    "common/src/link/quic/**",
    ["Date", "performance", "setInterval", "setTimeout"],
    "The engine is a state machine: take a Clock (../../util/clock.ts).",
  ),
];

function folderBans(folder: string): Ban[] {
  const { imports, opens = [], instead } = folders[folder] as Folder;
  const segments = folder.split("/");
  const root = "../".repeat(segments.length);
  const rootRegex = `^${"\\.\\./".repeat(segments.length)}`;
  const closed = Object.keys(folders).filter((each) => !imports.includes(each));
  const bans: Ban[] = [
    endsBan(),
    testingBan("^(\\.\\./)+testing/"),
    { regex: `${rootRegex}${oneOf(closed)}/`, message: instead },
  ];
  // util has no inside: one idea a file.
  const doors = imports.filter((each) => each !== "util");
  if (doors.length > 0) {
    bans.push({
      group: [
        ...doors.flatMap((each) => [`${root}${each}/*`, `!${root}${each}/index.ts`]),
        ...["protocol/protocol.ts", ...opens].map((each) => `!${root}${each}`),
      ],
      message: "Import the folder's door, its index.ts; what is not exported there is the folder's own business.",
    });
  }
  if (folder === "rpc") bans.push({ regex: "^\\./agent/", message: instead });
  if (folder === "link") bans.push({ regex: `^\\./${oneOf(transports)}/`, message: instead });
  if (segments[0] === "link" && segments[1]) {
    const others = transports.filter((each) => each !== segments[1]);
    bans.push({
      regex: `^\\.\\./${oneOf(others)}/`,
      message: "Transports never know one another; what they share is in link/.",
    });
  }
  if (folder === "protocol") {
    bans.push({
      regex: "^[^.]",
      message: "protocol is pure: bytes in, bytes out. Sockets, files and libraries belong to its users.",
    });
  }
  if (folder !== "link/quic" && folder !== "protocol") bans.push(quicBan());
  if (!["identity", "acme", "protocol"].includes(folder)) bans.push(forgeBan());
  return bans;
}

/** What holds for a package's running code and its tests alike. */
function packageBans(name: string, allowed: readonly string[] = []): Ban[] {
  const others = Object.keys(packages).filter((each) => each !== name && !allowed.includes(each));
  const names = others.map((each) => packages[each] as string);
  return [
    {
      regex: `^${oneOf(names)}(/|$)|^(\\.\\./)+${oneOf(others)}/`,
      message: "relay, client and extension never import one another; what two of them need belongs to common.",
    },
    { regex: "^(\\.\\./)+common/", message: "Import @porthole/common/<folder>." },
  ];
}

/** In the extension host, whose every millisecond the user feels. */
function tunnelBans(): Ban[] {
  return [
    testingBan("^@porthole/common/testing"),
    {
      group: [
        "@porthole/common/**",
        ...["errors", "log", "rpc", "util", "version"].map((door) => `!@porthole/common/${door}`),
      ],
      message: "The extension host holds the surface only: what runs tunnels is in extension/src/agent, behind rpc.",
    },
  ];
}

function endsBan(): Ban {
  return {
    regex: `^@?porthole(/|$)|^(\\.\\./)+${oneOf(Object.keys(packages))}/`,
    message: "common is below relay, client and extension and knows none of them; its own folders it imports by path.",
  };
}

function testingBan(regex: string): Ban {
  return { regex, message: "Running code never imports testing: only *.test.ts, test/ and bench/ do." };
}

function quicBan(): Ban {
  return { regex: "^@matrixai/", message: "Only link/quic loads native code: use its index.ts." };
}

function forgeBan(): Ban {
  return { regex: "^node-forge", message: "X.509 is read and written in identity: use or extend its index.ts." };
}

function restrictImports(files: string[], patterns: Ban[]): OxlintOverride {
  return { files, rules: { "no-restricted-imports": ["error", { patterns }] } };
}

function restrictGlobals(files: string, names: readonly string[], message: string): OxlintOverride {
  return {
    files: [files],
    excludeFiles: ["**/*.test.ts"],
    rules: { "no-restricted-globals": ["error", ...names.map((name) => ({ name, message }))] },
  };
}

function oneOf(names: readonly string[]): string {
  return `(${names.join("|")})`;
}
