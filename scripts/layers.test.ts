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
  ["relay/src/a.ts", 'import "porthole";', /never know each other/],
  ["relay/src/b.ts", 'import "../../client/src/main.ts";', /never know each other/],
  ["relay/src/c.ts", 'import "../../common/src/errors.ts";', /@porthole\/<package>\/<folder>/],
  ["relay/src/d.ts", 'import "@porthole/testing/skip";', /never imports testing/],
  ["relay/src/e.ts", 'import "@matrixai/quic";', /Only link\/quic/],
  ["relay/src/clients/a.ts", 'import "@porthole/tunnel/gateway";', /never know each other/],
  ["relay/src/clients/a.test.ts", 'import "@porthole/tunnel/gateway";', /never know each other/],
  ["client/src/a.ts", 'import "@porthole/relay";', /only its demo starts a relay/],
  ["client/src/a.test.ts", 'import "@porthole/relay";', /only its demo starts a relay/],
  ["client/src/b.ts", 'import "node-forge";', /X\.509/],
  ["client/src/c.ts", 'import "../../tunnel/src/rpc/index.ts";', /@porthole\/<package>\/<folder>/],
  ["extension/src/a.ts", 'import "porthole/x";', /drives the tunnel/],
  ["extension/src/b.ts", 'export * from "@porthole/relay";', /drives the tunnel/],
  ["extension/src/c.ts", 'import "@porthole/tunnel/rpc/daemon";', /holds the user interface only/],
  ["extension/src/controller/a.ts", 'import "vscode";', /without an editor/],
  ["extension/src/controller/b.ts", 'import "@porthole/relay";', /drives the tunnel/],
  ["extension/src/ports/a.ts", 'import "../ui/pickers.ts";', /without an editor/],
  ["extension/src/ui/a.ts", 'import "@porthole/tunnel/tunnel";', /holds the user interface only/],
  ["extension/src/ui/b.ts", 'import "@porthole/common/link";', /holds the user interface only/],
  ["extension/src/daemon/a.ts", 'import "vscode";', /nothing of the editor/],
  ["extension/src/daemon/b.ts", 'import "../controller/index.ts";', /nothing of the editor/],
  ["extension/src/daemon/c.ts", 'import "porthole";', /drives the tunnel/],

  // A circle of types alone.
  ["common/src/util/circle-a.ts", 'import type { B } from "./circle-b.ts";\nexport type A = B[];', /cycle/],
  ["common/src/util/circle-b.ts", 'import type { A } from "./circle-a.ts";\nexport type B = A | 1;', /cycle/],

  ["tunnel/src/assistant/a.ts", 'import "../tunnel/index.ts";', /on top of the contract/],
  ["common/src/errors.ts", 'import "./log.ts";', /import nothing of ours/],
  ["common/src/log.ts", 'import "./util/index.ts";', /import nothing of ours/],
  ["common/src/util/a.ts", 'import "@porthole/relay";', /common is below/],
  ["common/src/util/b.ts", 'import "@porthole/common/errors";', /imported by path/],
  ["common/src/util/c.ts", 'import "../protocol/index.ts";', /util serves every folder/],
  ["common/src/link/z.ts", 'import "../../../relay/src/relay.ts";', /common is below/],
  ["common/src/link/y.ts", 'import "@porthole/tunnel/tunnel";', /common is below/],
  ["common/src/link/x.test.ts", 'import "porthole";', /common is below/],
  ["common/src/protocol/a.ts", 'import "../identity/index.ts";', /protocol is below/],
  ["common/src/protocol/b.ts", 'import "node:net";', /protocol is pure/],
  ["common/src/protocol/c.ts", 'import "node-forge";', /protocol is pure/],
  ["common/src/protocol/d.ts", "export const now = Date.now();", /take the time/],
  ["common/src/protocol/e.ts", "setTimeout(() => {}, 1);", /take the time/],
  ["common/src/protocol/f.ts", "export const now = performance.now();", /take the time/],
  ["common/src/identity/a.ts", 'import "../link/index.ts";', /identity is keys/],
  ["common/src/identity/b.ts", 'import "../protocol/host-name.ts";', /folder's door/],
  ["common/src/options/a.ts", 'import "../link/index.ts";', /options only read/],
  ["common/src/control/a.ts", 'import "../options/index.ts";', /knows no command/],
  ["common/src/invite/a.ts", 'import "../link/index.ts";', /invite is a text/],
  ["common/src/link/a.ts", 'import "../acme/index.ts";', /below the tunnel/],
  ["common/src/link/b.ts", 'import "./quic/index.ts";', /knows no transport/],
  ["common/src/link/c.ts", 'import "../identity/key.ts";', /folder's door/],
  ["common/src/link/d.ts", 'import type { A } from "../identity/key.ts";\nexport type B = A;', /folder's door/],
  ["common/src/link/quic/a.ts", 'import "../http2/index.ts";', /never know one another/],
  ["common/src/link/quic/b.ts", 'import "../../acme/index.ts";', /nothing above it/],
  ["common/src/link/quic/c.ts", 'import "../../protocol/host-name.ts";', /folder's door/],
  ["common/src/link/quic/d.ts", "setTimeout(() => {}, 1);", /take a Clock/],
  ["common/src/link/quic/e.ts", "export const now = new Date();", /take a Clock/],
  ["common/src/link/quic/f.ts", 'import "@porthole/testing/link-compliance";', /never imports testing/],
  ["common/src/link/http2/a.ts", 'import "../quic/connection.ts";', /never know one another/],
  ["common/src/link/http2/b.ts", 'import "@matrixai/quic";', /Only link\/quic/],
  ["common/src/acme/a.ts", 'import "../link/index.ts";', /acme gets certificates/],
  ["common/src/acme/b.ts", 'import "../identity/key.ts";', /folder's door/],
  ["common/src/acme/order/a.ts", 'import "../../link/index.ts";', /acme gets certificates/],
  ["common/src/acme/order/b.ts", 'import "../renewal/retry.ts";', /nothing of its renewal/],
  ["common/src/acme/order/c.ts", 'import "../../identity/key.ts";', /folder's door/],
  ["common/src/acme/wire/a.ts", 'import "../order/order.ts";', /knows no order/],

  ["tunnel/src/http/a.ts", 'import "../gateway/index.ts";', /vocabulary/],
  ["tunnel/src/access/a.ts", 'import "../tunnel/index.ts";', /judge a request's head/],
  ["tunnel/src/access/b.ts", 'import "@porthole/common/link";', /judge a request's head/],
  ["tunnel/src/gateway/a.ts", 'import "@porthole/common/link";', /gateway reads HTTP/],
  ["tunnel/src/gateway/b.ts", 'import "../inspector/index.ts";', /gateway reads HTTP/],
  ["tunnel/src/gateway/services/a.ts", 'import "../../tunnel/index.ts";', /gateway reads HTTP/],
  ["tunnel/src/gateway/visitors/a.ts", 'import "../../access/rules.ts";', /folder's door/],
  ["tunnel/src/inspector/a.ts", 'import "../tunnel/index.ts";', /notified of exchanges/],
  ["tunnel/src/inspector/b.ts", 'import "../gateway/services/upstream.ts";', /folder's door/],
  ["tunnel/src/tunnel/a.ts", 'import "@porthole/common/link/quic";', /dialers of its options/],
  ["tunnel/src/tunnel/b.ts", 'import "../rpc/index.ts";', /dialers of its options/],
  ["tunnel/src/tunnel/c.ts", 'import "../gateway/gateway.ts";', /folder's door/],
  ["tunnel/src/tunnel/d.ts", 'import "node-forge";', /X\.509/],
  ["tunnel/src/tunnel/e.ts", 'import "@porthole/testing/skip";', /never imports testing/],
  ["tunnel/src/tunnel/f.ts", 'export const quic = import("@porthole/common/link/quic");', /dialers of its options/],
  ["tunnel/src/tunnel/g.ts", 'import "@porthole/relay";', /client's runtime/],
  ["tunnel/src/tunnel/h.ts", 'import "../../../common/src/errors.ts";', /@porthole\/<package>\/<folder>/],
  ["tunnel/src/tunnel/i.ts", 'import "@porthole/tunnel/gateway";', /imported by path/],
  ["tunnel/src/tunnel/i.test.ts", 'import "porthole";', /client's runtime/],
  ["tunnel/src/dialers/a.ts", 'import "../gateway/index.ts";', /transports of this machine/],
  ["tunnel/src/dialers/b.ts", 'import "@matrixai/quic";', /Only link\/quic/],
  ["tunnel/src/doctor/a.ts", 'import "../rpc/index.ts";', /looks at a tunnel from outside/],
  ["tunnel/src/rpc/a.ts", 'import "../tunnel/index.ts";', /without the tunnels/],
  ["tunnel/src/rpc/b.ts", 'import "./daemon/index.ts";', /without the tunnels/],
  ["tunnel/src/rpc/daemon/a.ts", 'import "@porthole/common/link/http2";', /handed in/],
  ["tunnel/src/rpc/daemon/b.ts", 'import "../../tunnel/state.ts";', /folder's door/],
  ["tunnel/src/rpc/daemon/c.ts", 'import "@porthole/relay";', /client's runtime/],
];

const kept: readonly (readonly [string, string])[] = [
  ["extension/src/daemon/k.ts", 'import "@porthole/relay";\nimport "@porthole/tunnel/rpc/daemon";'],
  ["extension/src/ui/k.ts", 'import "vscode";\nimport "@porthole/tunnel/rpc";\nimport "../controller/index.ts";'],
  ["client/src/demo/k.ts", 'import "@porthole/relay";\nimport "@porthole/tunnel/rpc/daemon";\nimport "../options.ts";'],
  ["relay/src/k.ts", 'import "@porthole/common/link/quic";\nimport "node:net";\nimport "./x.ts";'],
  ["relay/src/k.test.ts", 'import "@porthole/testing";'],
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
  ["common/src/link/quic/k.test.ts", 'import "@porthole/testing/link-compliance";\nimport "../http2/index.ts";'],
  ["common/src/acme/k.ts", 'import "../identity/index.ts";\nimport "../identity/der.ts";\nimport "node-forge";'],
  [
    "common/src/acme/order/k.ts",
    'import "../../identity/index.ts";\nimport "../../identity/der.ts";\nimport "../wire/problem.ts";',
  ],
  [
    "tunnel/src/dialers/k.ts",
    'import "@porthole/common/link/http2";\nimport "@porthole/common/link/quic";\nimport "../tunnel/index.ts";',
  ],
  [
    "tunnel/src/tunnel/k.ts",
    'import "@porthole/common/link";\nimport "@porthole/common/version";\nimport "../gateway/index.ts";',
  ],
  [
    "tunnel/src/gateway/services/k.ts",
    'import "../../http/index.ts";\nimport "../options.ts";\nimport "@porthole/common/util";',
  ],
  [
    "tunnel/src/rpc/k.ts",
    'import "@porthole/common/util";\nimport "vscode-jsonrpc/node";\nimport "../inspector/index.ts";',
  ],
  [
    "tunnel/src/rpc/daemon/k.ts",
    'import "../contract.ts";\nimport "../../tunnel/index.ts";\nimport "@porthole/common/version";',
  ],
  ["testing/src/k.ts", 'import "@porthole/common/link";\nimport "../../common/src/identity/der.ts";'],
  ["test/k.test.ts", 'import "@porthole/relay";\nimport "porthole";\nimport "@porthole/testing";'],
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
    const config = JSON.stringify(join(root, "scripts", "layer-rules.ts"));
    writeFileSync(
      join(folder, "oxlint.config.ts"),
      `import { layerOverrides, noCircles } from ${config};
export default { plugins: ["import"], rules: noCircles, overrides: layerOverrides };\n`,
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

  for (const name of ["common", "tunnel"] as const) {
    it(`knows every folder of ${name}`, () => {
      const source = join(root, name, "src");
      const nested = name === "common" ? ["link"] : [];
      const found = ["", ...nested].flatMap((parent) =>
        readdirSync(join(source, parent), { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map((entry) => join(parent, entry.name)),
      );
      assert.deepEqual(
        found.filter((each) => !(each in folders[name])),
        [],
      );
    });
  }
});
