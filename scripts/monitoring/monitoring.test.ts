import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectDefaultMetrics, Registry } from "prom-client";
import { platformReason, skipUnless } from "@porthole/testing";
import { alerts, rulesFile } from "./alerts.ts";
import { dashboardFile, panels } from "./dashboard.ts";
import { figuresIn, relayFigures } from "./metrics.ts";

const queries: readonly (readonly [string, string])[] = [
  ...alerts.map(({ name, when }) => [name, when] as const),
  ...panels.flatMap(({ title, queries: each }) => Object.values(each).map((query) => [title, query] as const)),
];

/** What Prometheus adds to every figure. */
const addedLabels = ["instance", "job"];

/** Figures and labels in a query that do not exist. */
function unknownIn(query: string, known: ReadonlyMap<string, readonly string[]>): string[] {
  const names = [...query.matchAll(/\b(?:porthole|process|nodejs)_\w+/g)].map(([name]) => name);
  const labels = names.flatMap((name) => [...(known.get(name) ?? []), ...addedLabels]);
  const used = [
    ...[...query.matchAll(/[{,]\s*(\w+)\s*=/g)].map(([, label]) => label ?? ""),
    ...[...query.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, list = ""]) =>
      list.split(/\s*,\s*/),
    ),
  ];
  return [...names.filter((name) => !known.has(name)), ...used.filter((label) => !labels.includes(label))];
}

describe("alerts and dashboard", () => {
  const known = new Map<string, readonly string[]>();

  before(() => {
    const ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
    for (const { name, labelNames } of [...relayFigures(), ...figuresIn(ofProcess)]) known.set(name, labelNames);
  });

  it("ask for figures and labels that the code defines", () => {
    for (const [what, query] of queries) assert.deepEqual(unknownIn(query, known), [], what);
  });

  it("would be found out", () => {
    assert.deepEqual(unknownIn('sum by (color) (porthole_nothing{outcome="x"})', known), [
      "porthole_nothing",
      "outcome",
      "color",
    ]);
    assert.deepEqual(unknownIn('rate(porthole_visitors_total{code="x"}[5m])', known), ["code"]);
  });

  it("have panels that do not overlap", () => {
    const { panels: placed } = JSON.parse(dashboardFile()) as {
      readonly panels: readonly { readonly gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    const taken = placed.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_each, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    assert.equal(new Set(taken).size, taken.length);
    assert.equal(placed.length, panels.length);
  });

  it("are valid for promtool", async function () {
    const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
    skipUnless(this, hasPromtool, platformReason("promtool is not installed (Debian's package prometheus has it)"));
    const folder = await mkdtemp(join(tmpdir(), "porthole-rules-"));
    try {
      const records = queries.map(
        ([, query], index) =>
          `      - record: query:${index}\n        expr: ${JSON.stringify(query.replace("$__rate_interval", "5m"))}`,
      );
      const files = {
        "alerts.yml": rulesFile(),
        "queries.yml": `groups:\n  - name: queries\n    rules:\n${records.join("\n")}\n`,
      };
      for (const [name, content] of Object.entries(files)) {
        await writeFile(join(folder, name), content);
        const { status, stdout, stderr } = spawnSync("promtool", ["check", "rules", join(folder, name)], {
          encoding: "utf8",
          timeout: 20_000,
        });
        assert.equal(status, 0, stdout + stderr);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
