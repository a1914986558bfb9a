import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { folders } from "./layers.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** File, line of code, and a part of the message. */
const broken: readonly (readonly [string, string, RegExp])[] = [
  ["relay/src/a.ts", 'import "porthole";', /never import one another/],
  ["relay/src/b.ts", 'import "../../client/src/main.ts";', /never import one another/],
  ["client/src/a.ts", 'import "@porthole/relay";', /never import one another/],
  ["client/src/a.test.ts", 'import "@porthole/relay";', /never import one another/],
  ["extension/src/a.ts", 'import "porthole/x";', /never import one another/],
  ["extension/src/b.ts", 'export * from "@porthole/relay";', /never import one another/],
  ["extension/src/controller/a.ts", 'import "vscode";', /without an editor/],
  ["extension/src/ports/a.ts", 'import "../surfaces/pickers.ts";', /without an editor/],
  ["extension/src/controller/b.ts", 'import "@porthole/relay";', /never import one another/],
  ["extension/src/surfaces/a.ts", 'import "@porthole/common/tunnel";', /holds the surface only/],
  ["extension/src/c.ts", 'import "@porthole/common/rpc/agent";', /holds the surface only/],
  ["extension/src/agent/a.ts", 'import "vscode";', /nothing of the editor/],
  ["extension/src/agent/b.ts", 'import "../controller/index.ts";', /nothing of the editor/],
  ["extension/src/agent/c.ts", 'import "porthole";', /never import one another/],
  ["relay/src/c.ts", 'import "../../common/src/errors.ts";', /@porthole\/common\/<folder>/],
  ["relay/src/d.ts", 'import "@porthole/common/testing";', /never imports testing/],
  ["relay/src/e.ts", 'import "@matrixai/quic";', /Only link\/quic/],
  ["client/src/b.ts", 'import "node-forge";', /X\.509/],
  ["common/src/util/a.ts", 'import "@porthole/relay";', /common is below/],
  ["common/src/tunnel/a.ts", 'import "../../../relay/src/relay.ts";', /common is below/],
  ["common/src/tunnel/a.test.ts", 'import "porthole";', /common is below/],
  ["common/src/testing/a.ts", 'import "porthole";', /common is below/],
  ["common/src/util/b.ts", 'import "@porthole/common/errors";', /its own folders it imports by path/],
  ["common/src/errors.ts", 'import "./log.ts";', /import nothing of ours/],
  ["common/src/log.ts", 'import "./util/index.ts";', /import nothing of ours/],
  ["common/src/util/c.ts", 'import "../protocol/index.ts";', /util serves every folder/],
  ["common/src/protocol/a.ts", 'import "../identity/index.ts";', /protocol is below/],
  ["common/src/protocol/b.ts", 'import "node:net";', /protocol is pure/],
  ["common/src/protocol/c.ts", 'import "node-forge";', /protocol is pure/],
  ["common/src/protocol/d.ts", "export const now = Date.now();", /take the time/],
  ["common/src/protocol/e.ts", "setTimeout(() => {}, 1);", /take the time/],
  ["common/src/protocol/f.ts", "export const now = performance.now();", /take the time/],
  ["common/src/identity/a.ts", 'import "../link/index.ts";', /identity is keys/],
  ["common/src/identity/b.ts", 'import "../protocol/host-name.ts";', /folder's door/],
  ["common/src/options/a.ts", 'import "../tunnel/index.ts";', /options only read/],
  ["common/src/invite/a.ts", 'import "../tunnel/index.ts";', /invite is a text/],
  ["common/src/link/a.ts", 'import "../tunnel/index.ts";', /below the tunnel/],
  ["common/src/link/b.ts", 'import "./quic/index.ts";', /knows no transport/],
  ["common/src/link/c.ts", 'import "../identity/key.ts";', /folder's door/],
  ["common/src/link/quic/a.ts", 'import "../http2/index.ts";', /never know one another/],
  ["common/src/link/quic/b.ts", 'import "../../tunnel/index.ts";', /nothing above it/],
  ["common/src/link/quic/c.ts", 'import "../../protocol/host-name.ts";', /folder's door/],
  ["common/src/link/quic/d.ts", "setTimeout(() => {}, 1);", /take a Clock/],
  ["common/src/link/quic/e.ts", "export const now = new Date();", /take a Clock/],
  ["common/src/link/quic/f.ts", 'import "../../testing/link-compliance.ts";', /never imports testing/],
  ["common/src/link/http2/a.ts", 'import "../memory/carrier.ts";', /never know one another/],
  ["common/src/link/http2/b.ts", 'import "@matrixai/quic";', /Only link\/quic/],
  ["common/src/link/memory/a.ts", 'import "../quic/carrier.ts";', /never know one another/],
  ["common/src/dialers/a.ts", 'import "../gateway/index.ts";', /transports of this machine/],
  ["common/src/dialers/b.ts", 'import "../link/quic/dial.ts";', /folder's door/],
  ["common/src/tunnel/b.ts", 'import "../link/quic/index.ts";', /dialers of its options/],
  ["common/src/tunnel/c.ts", 'import "../link/http2/dial.ts";', /dialers of its options/],
  ["common/src/tunnel/d.ts", 'import "../link/splice.ts";', /folder's door/],
  ["common/src/tunnel/e.ts", 'import "node-forge";', /X\.509/],
  ["common/src/tunnel/f.ts", 'import "../rpc/index.ts";', /The tunnel sees/],
  ["common/src/tunnel/g.ts", 'import "../testing/skip.ts";', /never imports testing/],
  ["common/src/tunnel/h.ts", 'export const quic = import("../link/quic/index.ts");', /dialers of its options/],
  ["common/src/tunnel/i.ts", 'import type { A } from "../link/types.ts";\nexport type B = A;', /folder's door/],
  ["common/src/gateway/access/a.ts", 'import "../../tunnel/index.ts";', /judge a request's head/],
  ["common/src/gateway/inspector/a.ts", 'import "../../tunnel/index.ts";', /told of exchanges/],
  ["common/src/gateway/inspector/b.ts", 'import "../../protocol/host-name.ts";', /folder's door/],
  ["common/src/acme/a.ts", 'import "../tunnel/index.ts";', /acme gets certificates/],
  ["common/src/acme/b.ts", 'import "../identity/key.ts";', /folder's door/],
  ["common/src/gateway/a.ts", 'import "../link/index.ts";', /gateway reads HTTP/],
  ["common/src/doctor/a.ts", 'import "../rpc/index.ts";', /looks at a tunnel from outside/],
  ["common/src/rpc/a.ts", 'import "../tunnel/index.ts";', /without the tunnels/],
  ["common/src/rpc/b.ts", 'import "./agent/index.ts";', /without the tunnels/],
  ["common/src/rpc/agent/a.ts", 'import "../../link/http2/index.ts";', /handed in/],
  ["common/src/rpc/agent/b.ts", 'import "../../tunnel/leg.ts";', /folder's door/],
  ["common/src/rpc/agent/c.ts", 'import "@porthole/relay";', /common is below/],
];

const kept: readonly (readonly [string, string])[] = [
  ["extension/src/agent/k.ts", 'import "@porthole/relay";\nimport "@porthole/common/rpc/agent";'],
  ["extension/src/surfaces/k.ts", 'import "vscode";\nimport "@porthole/common/rpc";\nimport "../controller/index.ts";'],
  ["relay/src/k.ts", 'import "@porthole/common/link/quic";\nimport "node:net";\nimport "./x.ts";'],
  ["relay/src/k.test.ts", 'import "@porthole/common/testing";'],
  ["common/src/protocol/k.ts", 'import "../errors.ts";\nimport "../util/hex.ts";\nimport "./protocol.ts";'],
  ["common/src/protocol/k.test.ts", 'import "node:net";\nexport const now = Date.now();'],
  [
    "common/src/identity/k.ts",
    'import "../protocol/index.ts";\nimport "../protocol/protocol.ts";\nimport "node-forge";',
  ],
  ["common/src/link/k.ts", 'import "../identity/index.ts";\nimport "../util/clock.ts";\nimport "./types.ts";'],
  [
    "common/src/link/quic/k.ts",
    'import "@matrixai/quic";\nimport "../types.ts";\nimport "../../util/clock.ts";\nimport "../../log.ts";',
  ],
  ["common/src/link/quic/k.test.ts", 'import "../../testing/link-compliance.ts";\nimport "../memory/index.ts";'],
  [
    "common/src/dialers/k.ts",
    'import "../link/http2/index.ts";\nimport "../link/quic/index.ts";\nimport "../tunnel/index.ts";',
  ],
  ["common/src/tunnel/k.ts", 'import "../link/index.ts";\nimport "../protocol/protocol.ts";\nimport "../version.ts";'],
  ["common/src/acme/k.ts", 'import "../identity/index.ts";\nimport "../identity/der.ts";\nimport "node-forge";'],
  ["common/src/rpc/k.ts", 'import "../util/index.ts";\nimport "vscode-jsonrpc/node";'],
  [
    "common/src/rpc/agent/k.ts",
    'import "../contract.ts";\nimport "../../tunnel/index.ts";\nimport "../../version.ts";',
  ],
  ["common/src/testing/k.ts", 'import "../link/index.ts";'],
  ["test/k.test.ts", 'import "@porthole/relay";\nimport "porthole";\nimport "@porthole/common/testing";'],
];

interface Finding {
  readonly filename: string;
  readonly code: string;
  readonly help?: string;
  readonly message: string;
}

describe("layering", function () {
  this.timeout(120_000);
  let findings: readonly Finding[];
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "porthole-layers-"));
    for (const [path, code] of [...broken, ...kept]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${code}\n`);
    }
    const config = JSON.stringify(join(root, "scripts", "layers.ts"));
    writeFileSync(
      join(folder, "oxlint.config.ts"),
      `import { layerOverrides } from ${config};\nexport default { overrides: layerOverrides };\n`,
    );
    const lint = join(root, "node_modules", "oxlint", "bin", "oxlint");
    const { stdout, stderr } = spawnSync(process.execPath, [lint, "--format", "json"], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.match(stdout, /^\{/, stderr);
    findings = (JSON.parse(stdout) as { readonly diagnostics: Finding[] }).diagnostics;
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [path, code, message] of broken) {
    it(`refuses ${code.split("\n")[0] ?? ""} in ${path}`, () => {
      const said = findings
        .filter(({ filename }) => filename === path)
        .map((each) => `${each.message} ${each.help ?? ""}`);
      assert.equal(said.length, 1, said.join("\n"));
      assert.match(said[0] ?? "", message);
    });
  }

  it("lets through what is in order", () => {
    const paths: readonly string[] = kept.map(([path]) => path);
    const said = findings.filter((each) => each.code.includes("no-restricted") && paths.includes(each.filename));
    assert.deepEqual(said, []);
  });

  it("knows every folder of common", () => {
    const source = join(root, "common", "src");
    const inLink = readdirSync(join(source, "link"), { withFileTypes: true }).map((entry) => ({
      entry,
      prefix: "link/",
    }));
    const found = [...readdirSync(source, { withFileTypes: true }).map((entry) => ({ entry, prefix: "" })), ...inLink]
      .filter(({ entry }) => entry.isDirectory() && entry.name !== "testing")
      .map(({ entry, prefix }) => prefix + entry.name);
    assert.deepEqual(
      found.filter((name) => !(name in folders)),
      [],
    );
  });
});
