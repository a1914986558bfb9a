import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { leaveOut } from "./scripts/bundle/left-out.ts";

/** One file a program, for Node 20 and up, built from the sources of all workspaces. */
const programs = [
  { entry: "client/src/main.ts", outfile: "dist/porthole.mjs" },
  { entry: "relay/src/main.ts", outfile: "dist/porthole-relay.mjs" },
  // Started by the relay, from its own folder.
  { entry: "relay/src/lane/main.ts", outfile: "dist/porthole-relay-lane.mjs" },
];

const { metafile } = await build({
  absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
  entryPoints: programs.map(({ entry, outfile }) => ({ in: entry, out: outfile.replace(/\.mjs$/, "") })),
  outdir: ".",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  target: "node20.18",
  format: "esm",
  conditions: ["source"],
  // Native code stays a package beside the bundle; without it there is no QUIC, and everything else works.
  external: ["@matrixai/quic"],
  plugins: [leaveOut],
  // CommonJS in the bundle asks for Node's modules by require, which an ES module has not.
  banner: {
    js: 'import { createRequire as bundleRequire } from "node:module"; const require = bundleRequire(import.meta.url);',
  },
  legalComments: "linked",
  sourcemap: "linked",
  metafile: true,
  logLevel: "warning",
});

for (const { outfile } of programs) {
  const { bytes, inputs } = metafile.outputs[outfile];
  console.log(`${outfile}  ${Math.ceil(bytes / 1024)} KiB`);
  /** @type {Record<string, number>} */
  const parts = {};
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const part = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path.split("/", 1)[0];
    parts[part] = (parts[part] ?? 0) + bytesInOutput;
  }
  for (const [part, size] of Object.entries(parts).toSorted(([, a], [, b]) => b - a)) {
    if (size >= 1024) console.log(`  ${String(Math.round(size / 1024)).padStart(5)} KiB  ${part}`);
  }
}
