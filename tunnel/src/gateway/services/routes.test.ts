import assert from "node:assert/strict";
import { parseLocalService } from "./local-service.ts";
import { parseRoute, serviceFor } from "./routes.ts";

describe("routes", () => {
  it("lead to the service of the longest path that fits, by whole segments", () => {
    const routes = ["/api=1", "/api/v2/=2", "/=3"].map(parseRoute);
    const main = parseLocalService("9");
    for (const [target, service] of [
      ["/api", "1"],
      ["/api?x", "1"],
      ["/api/", "1"],
      ["/api/v2", "2"],
      ["/api/v2/x", "2"],
      ["/api/v22", "1"],
      ["/apiary", "3"],
      ["/?/api", "3"],
      ["*", "9"],
    ] as const)
      assert.equal(serviceFor(routes, target, main).text, service, target);
  });

  for (const text of [
    "4000",
    "api=4000",
    "/api",
    "/api=",
    "/a b=1",
    "/a?b=1",
    "/a/../b=1",
    "//a=1",
    "/a%2f=1",
    "/a=tcp://localhost:1",
  ]) {
    it(`refuses ${text}`, () => assert.throws(() => parseRoute(text), { code: "usage" }));
  }
});
