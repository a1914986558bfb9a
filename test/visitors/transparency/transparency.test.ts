import assert from "node:assert/strict";
import { useScope } from "@porthole/testing/end-to-end";
import { declareAnswers } from "./answers.suite.ts";
import { answers } from "./cases/answers.ts";
import { declareHttp2Services } from "./http2-services.suite.ts";
import { unmet } from "./judge.ts";
import { knownFaults } from "./known-faults.ts";
import { declareRequests } from "./requests.suite.ts";
import { declareTalks } from "./talks.suite.ts";
import { useWorld } from "./world.ts";

describe("A tunnel is as transparent as none", function () {
  this.timeout(60_000);
  const scope = useScope({ lasts: "suite" });

  describe("a service of HTTP/1", () => {
    const world = useWorld(scope, "http");
    declareAnswers(world);
    declareRequests(world);
  });

  describe("a service of HTTP/1 with TLS", () => {
    declareAnswers(useWorld(scope, "https"), {
      "answers and their framing": answers["answers and their framing"],
      "answers that break off": answers["answers that break off"],
    });
  });

  describe("conversations", () => declareTalks(scope));
  describe("a service of HTTP/2 without TLS", () => declareHttp2Services(scope, "h2c"));
  describe("a service of HTTP/2 with TLS", () => declareHttp2Services(scope, "h2"));

  // A fault hides the differences of its cases, and a part of the cases does not meet all.
  if (knownFaults.length === 0)
    it("every listed difference is there", function () {
      const tests: Mocha.Test[] = [];
      this.test?.parent?.eachTest((test) => tests.push(test));
      if (tests.slice(0, -1).every(({ state }) => state !== undefined)) assert.deepEqual(unmet(), []);
    });
});
