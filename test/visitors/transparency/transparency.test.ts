import { startTunnel, useScope } from "@porthole/testing/end-to-end";
import { answersByPath, declareAnswers } from "./answers.suite.ts";
import { answers } from "./cases/answers.ts";
import { declareHttp2Services, selfSigned } from "./http2-services.suite.ts";
import { tally } from "./judge.ts";
import { startRawService } from "./raw-service.ts";
import { declareRequests } from "./requests.suite.ts";
import { declareTalks } from "./talks.suite.ts";
import { dialDirectly, dialTls, http2Visitor } from "./visitors.ts";
import type { World } from "./world.ts";

describe("A tunnel is as transparent as none", function () {
  this.timeout(60_000);
  const scope = useScope({ lasts: "suite" });

  after(() => {
    const { comparisons, clients } = tally();
    console.log(`    ${comparisons} comparisons, read by ${clients.join(", ")}`);
  });

  describe("a service of HTTP/1", () => {
    const world = useWorld("http");
    declareAnswers(world);
    declareRequests(world);
  });

  describe("a service of HTTP/1 with TLS", () => {
    declareAnswers(useWorld("https"), {
      "answers and their framing": answers["answers and their framing"],
      "answers that break off": answers["answers that break off"],
    });
  });

  describe("conversations", () => declareTalks(scope));
  describe("a service of HTTP/2 without TLS", () => declareHttp2Services(scope, "h2c"));
  describe("a service of HTTP/2 with TLS", () => declareHttp2Services(scope, "h2"));

  function useWorld(kind: "http" | "https"): () => World {
    let world: World;
    before(async () => {
      const tls = kind === "https" ? { tls: selfSigned() } : {};
      const service = await startRawService(scope, { answers: answersByPath(), ...tls });
      const local = `${kind}://127.0.0.1:${service.port}`;
      const { site } = await startTunnel(scope, { transport: "http2", local });
      const dial = kind === "https" ? dialTls : dialDirectly;
      world = { scope, site, kind, service, http2: http2Visitor(scope, site), dial: () => dial(service.port) };
    });
    return () => world;
  }
});
