import assert from "node:assert/strict";
import { daemonEnvironment, type EditorProxy } from "./daemon-environment.ts";

describe("the environment of the process with the tunnels", () => {
  const none: EditorProxy = { proxy: "", noProxy: [] };
  const editor: EditorProxy = { proxy: "http://editor:3128", noProxy: [] };
  const exceptions: EditorProxy = { proxy: "", noProxy: ["relay.example", ".test"] };

  const proxy = { https_proxy: "http://editor:3128", HTTPS_PROXY: "http://editor:3128" };
  const both = (list: string) => ({ no_proxy: list, NO_PROXY: list });
  for (const [what, own, given, added] of [
    ["is the editor's own", { PATH: "/bin", HTTPS_PROXY: "http://own:1" }, none, {}],
    ["has the editor's proxy", {}, editor, proxy],
    ["has it instead of HTTPS_PROXY", { HTTPS_PROXY: "http://own:1" }, editor, proxy],
    ["has it instead of the small letters", { https_proxy: "http://own:1" }, editor, proxy],
    ["has it beside ALL_PROXY, which counts for less", { ALL_PROXY: "http://own:1" }, editor, proxy],
    ["keeps its own where the editor has none", { https_proxy: "http://own:1" }, none, {}],
    ["has the editor's exceptions", {}, exceptions, both("relay.example,.test")],
    ["adds them to its own", { NO_PROXY: "a,b" }, exceptions, both("a,b,relay.example,.test")],
    ["adds them to the small letters", { no_proxy: "a", NO_PROXY: "b" }, exceptions, both("a,relay.example,.test")],
  ] as const)
    it(what, () => assert.deepEqual(daemonEnvironment(own, given), { ...own, ...added, ELECTRON_RUN_AS_NODE: "1" }));
});
