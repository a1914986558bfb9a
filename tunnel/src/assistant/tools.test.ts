import assert from "node:assert/strict";
import { systemClock } from "@porthole/common/util";
import type { DaemonConnection } from "../rpc/index.ts";
import type { AssistantHost, AssistantTunnel } from "./host.ts";
import { assistantTools } from "./tools.ts";

const tunnel = (id: string): AssistantTunnel => ({ id, local: id, urls: [], state: "online", access: "everyone" });

describe("the tools of AI assistants", () => {
  /** `answers`: what the daemon says to each method. */
  function host(tunnels: readonly AssistantTunnel[], answers: Readonly<Record<string, object>> = {}): AssistantHost {
    const connection = {
      call: async (method: string) => answers[method] ?? {},
      on: () => () => {},
    } as unknown as DaemonConnection;
    return {
      tunnels: async () => tunnels,
      expose: async ({ port }) => ({ tunnel: tunnel(String(port)) }),
      stop: async () => {},
      connection: async () => connection,
    };
  }
  const use = (
    name: string,
    input: object,
    of: AssistantHost,
    signal = AbortSignal.timeout(20_000),
  ): Promise<string> => {
    const found = assistantTools.find((each) => each.name === name) ?? assert.fail(name);
    return found.run(input, { host: of, clock: systemClock, signal });
  };

  it("check their input by the schema that they show", async () => {
    for (const { name, inputSchema, description } of assistantTools) {
      assert.match(name, /^porthole_[a-z_]+$/);
      assert.ok(description.length > 20, name);
      assert.equal(inputSchema.additionalProperties, false);
      await assert.rejects(use(name, { surprise: 1 }, host([])), { code: "usage", message: /no argument "surprise"/ });
      await assert.rejects(use(name, ["x"], host([])), { code: "usage" });
    }
    for (const port of [0, 70_000, 1.5, "3000", null, undefined])
      await assert.rejects(use("porthole_expose", { port }, host([])), { code: "usage", message: /^port has to be/ });
    await assert.rejects(use("porthole_list_requests", { limit: 51 }, host([tunnel("1")])), /from 1 to 50/);
    await assert.rejects(use("porthole_list_requests", { filter: "x".repeat(3_000) }, host([tunnel("1")])), /a text/);
  });

  it("ask before they publish or send, and for nothing else", () => {
    const inputs: Readonly<Record<string, object>> = {
      porthole_expose: { port: 3_000 },
      porthole_get_request: { request: "1" },
      porthole_replay: { request: "1" },
    };
    const asking = assistantTools.filter(({ name, question }) => question(inputs[name] ?? {}) !== undefined);
    assert.deepEqual(
      asking.map(({ name }) => name),
      ["porthole_expose", "porthole_replay"],
    );
    assert.match(asking[0]?.question({ port: 1, access: "public" }) ?? "", /Anyone with the URL/);
    assert.match(asking[0]?.question({ port: 1 }) ?? "", /share link/);
  });

  it("take the only tunnel, and name the choice where there are several", async () => {
    assert.match(await use("porthole_stop", {}, host([tunnel("one")])), /"stopped": "one"/);
    await assert.rejects(use("porthole_stop", {}, host([])), { message: "No port is exposed" });
    await assert.rejects(use("porthole_stop", {}, host([tunnel("one"), tunnel("two")])), { hint: /one, two/ });
    await assert.rejects(use("porthole_stop", { tunnel: "three" }, host([tunnel("one")])), { message: /three/ });
  });

  it("cut what visitors have written, and stop waiting when they are told to", async () => {
    const summary = {
      id: "1",
      seq: 1,
      state: "done",
      startedAt: 0,
      target: "/".repeat(9_000),
      visitor: { address: "a" },
    };
    const body = { info: { contentType: "text/plain", bytes: 50_000, state: "complete" }, text: "x".repeat(50_000) };
    const detail = {
      summary,
      request: { headers: [{ name: "a", value: "v".repeat(9_000) }] },
      replay: { possible: true },
    };
    const recording = host([tunnel("one")], {
      "inspect/get": detail,
      "inspect/body": body,
      "inspect/list": { exchanges: [] },
    });
    const shown = await use("porthole_get_request", { request: "1" }, recording);
    assert.ok(shown.length < 50_000, String(shown.length));
    assert.match(shown, /Only the beginning is shown/);
    const abort = new AbortController();
    const waiting = use("porthole_wait_for_request", {}, recording, abort.signal);
    abort.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    const waited = async (input: object, of: AssistantHost) => {
      const { request, since } = JSON.parse(await use("porthole_wait_for_request", input, of)) as {
        readonly request: { readonly id: string } | null;
        readonly since: number;
      };
      return [request?.id, since];
    };
    assert.deepEqual(await waited({ seconds: 1 }, recording), [undefined, 0]);
    const late = { "inspect/list": { exchanges: [summary] }, "inspect/get": detail, "inspect/body": body };
    assert.deepEqual(await waited({ since: 0 }, host([tunnel("one")], late)), ["1", 1]);
    assert.deepEqual(await waited({ since: 1, seconds: 1 }, host([tunnel("one")], late)), [undefined, 1]);
  });
});
