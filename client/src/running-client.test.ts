import assert from "node:assert/strict";
import { chooseTunnel } from "./running-client.ts";

describe("the tunnel of a command", () => {
  for (const [ids, wanted, chosen] of [
    [["web"], undefined, "web"],
    [["web", "main"], undefined, "main"],
    [["web", "api"], "api", "api"],
    [["shop.web", "shop.api"], "web", "shop.web"],
    [["shop.web", "blog.web", "web"], "web", "web"],
  ] as const)
    it(`is ${chosen} of ${ids.join(", ")} for ${wanted ?? "no name"}`, () =>
      assert.equal(chooseTunnel(ids, wanted), chosen));

  for (const [ids, wanted, message] of [
    [[], undefined, /has no tunnel/],
    [["web", "api"], undefined, /several tunnels: web, api/],
    [["web"], "api", /no tunnel "api"/],
    [["shop.web", "blog.web"], "web", /no tunnel "web"/],
  ] as const)
    it(`is none of ${ids.join(", ")} for ${wanted ?? "no name"}`, () =>
      assert.throws(() => chooseTunnel(ids, wanted), { code: "usage", message }));
});
