import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, context } from "esbuild";
import { builtins } from "./scripts/bundle/builtins.ts";
import { bundledPackages, noticesOf } from "./scripts/package/notices.ts";
import { node18, withoutQuic } from "./scripts/bundle/embedded.ts";
import { leaveOut } from "./scripts/bundle/left-out.ts";

/**
 * Everything that is run without a package manager, from the sources of all workspaces: one file for each program, and the extension's two halves.
 * Node 20 is the oldest that either meets.
 */
const root = fileURLToPath(new URL(".", import.meta.url));
/** Builds the extension after each change of a source, to be debugged: with source maps, and not minified. */
const isWatching = process.argv.includes("--watch");

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  outdir: ".",
  bundle: true,
  platform: "node",
  target: "node20.9",
  conditions: ["source"],
  legalComments: "linked",
  metafile: true,
  logLevel: "warning",
};

/** @type {import("esbuild").BuildOptions} */
const modules = {
  ...common,
  format: "esm",
  outExtension: { ".js": ".mjs" },
  // Native code stays a package beside the bundle; without it there is no QUIC, and everything else works.
  external: ["@matrixai/quic"],
  plugins: [leaveOut, builtins],
  // CommonJS in the bundle asks for Node's modules by require, which an ES module has not.
  banner: {
    js: 'import { createRequire as bundleRequire } from "node:module"; const require = bundleRequire(import.meta.url);',
  },
};

/** @param {string} source @param {string} out */
const entry = (source, out) => ({ in: source, out });

/** @type {import("esbuild").BuildOptions} */
const page = { ...common, platform: "browser", format: "iife", loader: { ".svg": "dataurl" } };

/** @type {import("esbuild").BuildOptions} */
const packed = isWatching ? { sourcemap: "linked" } : { minify: true };

/** @type {import("esbuild").BuildOptions[]} */
const programs = [
  {
    ...modules,
    entryPoints: [
      entry("client/src/launch.ts", "dist/porthole"),
      entry("client/src/main.ts", "dist/porthole-main"),
      entry("relay/src/launch.ts", "dist/porthole-relay"),
      entry("relay/src/main.ts", "dist/porthole-relay-main"),
      // A thread that the client's inspector starts.
      entry("tunnel/src/inspector/reading-worker.ts", "dist/porthole-reading"),
      // Started by the relay, from its own folder.
      entry("relay/src/quic-worker/main.ts", "dist/porthole-relay-quic"),
    ],
    // What only some commands need, such as the demo's relay, is a file of its own, and the programs share the rest.
    splitting: true,
    chunkNames: "dist/porthole-[name]-[hash]",
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: "linked",
  },
  {
    ...modules,
    // The program of a Node inside an app, where 18 is the newest: one file, without native code.
    target: "node18.20",
    external: [],
    plugins: [withoutQuic, ...modules.plugins],
    banner: { js: modules.banner.js + node18 },
    entryPoints: [entry("client/src/embedded/main.ts", "dist/porthole-embedded")],
    minifySyntax: true,
    minifyWhitespace: true,
  },
];

/** @type {import("esbuild").BuildOptions} */
const webPage = {
  ...page,
  // Browsers of the last two years.
  target: ["chrome123", "firefox120", "safari17.5"],
  minify: true,
  entryPoints: [
    entry("tunnel/src/requests/page/web.ts", "dist/porthole-requests"),
    entry("tunnel/src/requests/page/web.css", "dist/porthole-requests"),
  ],
};

/** @type {import("esbuild").BuildOptions[]} */
const extension = [
  {
    ...common,
    ...packed,
    // What every version of the editor since 1.90 loads.
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    entryPoints: [entry("extension/src/extension.ts", "dist/extension/extension")],
    external: ["vscode"],
  },
  {
    ...page,
    ...packed,
    // The editor's own browser.
    target: "chrome122",
    entryPoints: [
      entry("tunnel/src/requests/page/editor.ts", "dist/extension/requests"),
      entry("tunnel/src/requests/page/style.css", "dist/extension/requests"),
    ],
  },
  {
    ...modules,
    ...packed,
    // The trial relay is never one of a cluster.
    external: [...modules.external, "@nats-io/*"],
    entryPoints: [
      entry("extension/src/daemon/main.ts", "dist/extension/daemon"),
      entry("client/src/mcp/editor.ts", "dist/extension/mcp"),
      entry("tunnel/src/inspector/reading-worker.ts", "dist/extension/porthole-reading"),
      entry("relay/src/quic-worker/main.ts", "dist/extension/porthole-relay-quic"),
    ],
    // The trial relay is a file of its own, and shares the rest.
    splitting: true,
    chunkNames: "dist/extension/[name]-[hash]",
  },
];

if (process.argv.includes("--page")) await build(webPage);
else {
  await rm(join(root, "dist", "extension"), { recursive: true, force: true });
  if (isWatching) await watch(extension);
  else {
    const results = await Promise.all([...programs, webPage, ...extension].map((options) => build(options)));
    await report(results);
    const outputs = Object.assign({}, ...results.slice(0, programs.length).map(({ metafile }) => metafile.outputs));
    await removeOthers(join(root, "dist"), Object.keys(outputs));
    await copyToPackages({ outputs }, results[programs.length].metafile);
  }
}

/**
 * What npm publishes: the bundles, and the licences of the packages in them.
 *
 * @param {Pick<import("esbuild").Metafile, "outputs">} programs
 * @param {import("esbuild").Metafile} page
 */
async function copyToPackages({ outputs }, page) {
  const relay = ["dist/porthole-relay.mjs", "dist/porthole-relay-main.mjs", "dist/porthole-relay-quic.mjs"];
  const client = [
    "dist/porthole.mjs",
    "dist/porthole-main.mjs",
    "dist/porthole-reading.mjs",
    "dist/porthole-embedded.mjs",
    "dist/porthole-relay-quic.mjs",
  ];
  for (const [folder, programs] of Object.entries({ client, relay })) {
    const to = join(root, folder, "dist");
    await mkdir(to, { recursive: true });
    const paths = withImports(programs, outputs);
    const pages = folder === "client" ? Object.keys(page.outputs) : [];
    for (const path of [...paths, ...pages]) await copyFile(join(root, path), join(to, basename(path)));
    await removeOthers(to, paths);
    // The output of a style does not name its pictures.
    const inputs = [
      ...paths.flatMap((path) => Object.keys(outputs[path].inputs)),
      ...(folder === "client" ? Object.keys(page.inputs) : []),
    ];
    const packages = bundledPackages(inputs).map((path) => join(root, path));
    await writeFile(new URL(`${folder}/dist/ThirdPartyNotices.txt`, import.meta.url), noticesOf(packages, false));
  }
}

/**
 * The files and all that they import, now or later.
 *
 * @param {readonly string[]} paths @param {import("esbuild").Metafile["outputs"]} outputs
 */
function withImports(paths, outputs) {
  const all = new Set(paths);
  for (const path of all)
    for (const { path: imported, external } of outputs[path].imports) if (!external) all.add(imported);
  return [...all];
}

/**
 * Removes files of an earlier build: their names change with their content.
 *
 * @param {string} folder @param {readonly string[]} paths
 */
async function removeOthers(folder, paths) {
  const kept = new Set(paths.map((path) => basename(path)));
  for (const name of await readdir(folder))
    if (/^porthole-.*\.mjs(\.map)?$/.test(name) && !kept.has(name)) await rm(join(folder, name), { force: true });
}

/**
 * Prints one line when a round of builds begins and one when it ends: the editor's watch task waits for them.
 *
 * @param {import("esbuild").BuildOptions[]} builds
 */
async function watch(builds) {
  let running = 0;
  /** @type {import("esbuild").Plugin} */
  const rounds = {
    name: "rounds",
    setup(build) {
      build.onStart(() => {
        if (running++ === 0) console.log("[watch] build started");
      });
      build.onEnd(() => {
        if (--running === 0) console.log("[watch] build finished");
      });
    },
  };
  const contexts = await Promise.all(
    builds.map((options) => context({ ...options, plugins: [...(options.plugins ?? []), rounds] })),
  );
  await Promise.all(contexts.map((each) => each.watch()));
}

/**
 * Prints how large each file is and what it is made of, and writes what `npm run package` counts and whose licences it takes along.
 *
 * @param {import("esbuild").BuildResult<{ metafile: true }>[]} results
 */
async function report(results) {
  /** @type {Record<string, number>} */
  const totals = {};
  for (const { metafile } of results) {
    for (const [path, { bytes, inputs }] of Object.entries(metafile.outputs)) {
      if (!/\.[cm]?js$/.test(path)) continue;
      console.log(`${path}  ${Math.ceil(bytes / 1024)} KiB`);
      const folder = path.slice(0, path.lastIndexOf("/"));
      totals[folder] = (totals[folder] ?? 0) + bytes;
      /** @type {Record<string, number>} */
      const parts = {};
      for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
        const part = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? input.split("/", 1)[0];
        parts[part] = (parts[part] ?? 0) + bytesInOutput;
      }
      for (const [part, size] of Object.entries(parts).toSorted(([, a], [, b]) => b - a)) {
        if (size >= 1024) console.log(`  ${String(Math.round(size / 1024)).padStart(5)} KiB  ${part}`);
      }
    }
  }
  console.log(`The extension's JavaScript: ${Math.ceil(totals["dist/extension"] / 1024)} KiB`);

  const outputs = results.flatMap(({ metafile }) => Object.entries(metafile.outputs));
  const ofExtension = outputs.filter(([path]) => path.startsWith("dist/extension/"));
  // The styles' outputs don't name them.
  const pictures = results.flatMap(({ metafile }) =>
    Object.keys(metafile.inputs).filter((path) => path.endsWith(".svg")),
  );
  await writeFile(
    new URL("dist/extension/meta.json", import.meta.url),
    JSON.stringify({ outputs: Object.fromEntries(ofExtension), pictures }),
  );
}
