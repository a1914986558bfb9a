import type { OxlintConfig, OxlintOverride } from "oxlint";
import { folders, packages, transports, type Folder, type Package } from "./layers.ts";

/** Makes rules of the linter from the table in `layers.ts`. Each message says where to go instead. */

/** A `group`'s exceptions (`!`) are exceptions from every ban of the list, and a `regex` can't look ahead. */
type Ban = ({ readonly regex: string } | { readonly group: string[] }) & { readonly message: string };

/** No import circle, not even of types: what two files share goes into a file below both. */
export const noCircles = { "import/no-cycle": ["error", { ignoreTypes: false }] } satisfies OxlintConfig["rules"];

/** Where several overrides fit a file, the last one's list replaces the others'. */
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
  ...Object.keys(folders.common).map((folder) => restrictImports([`common/src/${folder}/**`], commonBans(folder))),
  // More than the rooms of acme share: each of its parts is built on those before it.
  restrictImports(
    ["common/src/acme/wire/**"],
    [...commonBans("acme"), partBan("(order|renewal)", "wire speaks ACME and knows no order.")],
  ),
  restrictImports(
    ["common/src/acme/order/**"],
    [...commonBans("acme"), partBan("renewal", "An order knows nothing of its renewal.")],
  ),
  ...Object.keys(folders.tunnel).map((folder) => restrictImports([`tunnel/src/${folder}/**`], tunnelBans(folder))),
  restrictImports(["common/src/**/*.test.ts"], [...packageBans("common", "tests")]),
  restrictImports(["tunnel/src/**/*.test.ts"], packageBans("tunnel", "tests")),
  restrictImports(["testing/src/**"], []),
  ...["relay", "client", "extension"].flatMap((name) => [
    restrictImports([`${name}/src/**`], runningBans(name)),
    restrictImports([`${name}/src/**/*.test.ts`], packageBans(name, "tests")),
  ]),
  // It shows all of Porthole on one machine.
  restrictImports(["client/src/demo/**"], [...packageBans("client", "running", ["relay"]), quicBan(), forgeBan()]),
  // The daemon carries a relay for trying things out. It never sees the editor.
  restrictImports(
    ["extension/src/daemon/**"],
    [
      ...packageBans("extension", "running", ["relay"]),
      quicBan(),
      forgeBan(),
      {
        regex: "^vscode$|^\\.\\./",
        message:
          "The daemon is a program of its own: it knows the tunnel and the trial relay, and nothing of the editor.",
      },
    ],
  ),
  ...["controller", "manifest", "ports"].map((folder) =>
    restrictImports(
      [`extension/src/${folder}/**`],
      [
        ...packageBans("extension", "running"),
        ...hostBans(),
        {
          regex: "^vscode$|/ui/|/daemon/|/requests/",
          message: `${folder} runs without an editor: ui shows its state, and what it needs of the editor is handed in.`,
        },
      ],
    ),
  ),
  restrictImports(
    ["extension/src/*.ts", "extension/src/ui/**", "extension/src/requests/**"],
    [...packageBans("extension", "running"), ...hostBans()],
  ),
  restrictImports(["extension/src/**/*.test.ts"], packageBans("extension", "tests")),
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

function commonBans(folder: string): Ban[] {
  const { imports, opens = [], instead } = folders.common[folder] as Folder;
  const segments = folder.split("/");
  const bans: Ban[] = [
    ...packageBans("common", "running"),
    ...doorBans("common", folder, imports, ["protocol/protocol.ts", ...opens], instead),
  ];
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

function tunnelBans(folder: string): Ban[] {
  const { imports, instead } = folders.tunnel[folder] as Folder;
  const own = imports.filter((each) => !each.startsWith("@"));
  const below = imports.filter((each) => each.startsWith("@"));
  return [
    ...packageBans("tunnel", "running"),
    ...doorBans("tunnel", folder, own, [], instead),
    { group: ["@porthole/common/**", ...below.map((each) => `!${each}`)], message: instead },
    ...(folder === "rpc" ? [{ regex: "^\\./daemon/", message: instead }] : []),
    quicBan(),
    forgeBan(),
  ];
}

/** The other folders of a package: closed, or open through their door only. */
function doorBans(
  name: "common" | "tunnel",
  folder: string,
  imports: readonly string[],
  opens: readonly string[],
  instead: string,
): Ban[] {
  const depth = folder.split("/").length;
  // A file may stand one folder deeper than its room's name says (acme/wire, gateway/visitors).
  const roots = [depth, depth + 1].map((levels) => "../".repeat(levels));
  const closed = Object.keys(folders[name]).filter((each) => !imports.includes(each) && each !== folder.split("/")[0]);
  const bans: Ban[] = [{ regex: `^(\\.\\./){${depth},${depth + 1}}${oneOf(closed)}/`, message: instead }];
  // util has no inside: one idea a file.
  const doors = imports.filter((each) => each !== "util");
  if (doors.length > 0) {
    bans.push({
      group: roots.flatMap((root) => [
        ...doors.flatMap((each) => [`${root}${each}/**`, `!${root}${each}/index.ts`]),
        ...opens.map((each) => `!${root}${each}`),
      ]),
      message: "Import the folder's door, its index.ts; what is not exported there is the folder's own business.",
    });
  }
  return bans;
}

function runningBans(name: string): Ban[] {
  return [...packageBans(name, "running"), quicBan(), forgeBan()];
}

/** What holds for a whole package: the packages above and beside it are closed, those below are known by name. */
function packageBans(name: string, code: "running" | "tests", allowed: readonly string[] = []): Ban[] {
  const { imports, instead } = packages[name] as Package;
  const open = [...imports, ...allowed];
  const closed = Object.keys(packages).filter((each) => each !== name && !open.includes(each));
  const names = closed.map((each) => (packages[each] as Package).name);
  const bans: Ban[] = [{ regex: `^${oneOf(names)}(/|$)|^(\\.\\./)+${oneOf(closed)}/src/`, message: instead }];
  if (imports.length > 0) {
    bans.push({ regex: `^(\\.\\./)+${oneOf(imports)}/src/`, message: "Import @porthole/<package>/<folder>." });
  }
  if (name === "common") {
    bans.push({ regex: "^@porthole/common(/|$)", message: "common's own folders are imported by path." });
  }
  if (name === "tunnel") {
    bans.push({ regex: "^@porthole/tunnel(/|$)", message: "tunnel's own folders are imported by path." });
  }
  if (code === "running") {
    bans.push({
      regex: "^@porthole/testing(/|$)|^(\\.\\./)+testing/",
      message: "Running code never imports testing: only *.test.ts, test/ and bench/ do.",
    });
  }
  return bans;
}

/** For the extension host: the user feels each of its milliseconds. */
function hostBans(): Ban[] {
  return [
    {
      group: [
        "@porthole/common/**",
        "@porthole/tunnel/**",
        ...["errors", "log", "util", "version"].map((door) => `!@porthole/common/${door}`),
        "!@porthole/tunnel/rpc",
        "!@porthole/tunnel/assistant",
        "!@porthole/tunnel/requests",
        "!@porthole/tunnel/settings",
      ],
      message: "The extension host holds the user interface only: tunnels run in extension/src/daemon, behind rpc.",
    },
  ];
}

function partBan(parts: string, message: string): Ban {
  return { regex: `^\\.\\./${parts}/`, message };
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
