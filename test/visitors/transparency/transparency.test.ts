import { startTunnel } from "../../fixture/index.ts";
import { answersByPath, declareAnswers } from "./answers.suite.ts";
import { tally } from "./judge.ts";
import { startRawService } from "./raw-service.ts";
import { declareRequests } from "./requests.suite.ts";
import { useSuiteScope } from "./suite-scope.ts";
import { declareTalks } from "./talks.suite.ts";
import { http2Visitor } from "./visitors.ts";
import type { World } from "./world.ts";

describe("A tunnel is as transparent as none", function () {
  this.timeout(60_000);
  const scope = useSuiteScope();
  let world: World;

  before(async () => {
    const service = await startRawService(scope, { answers: answersByPath() });
    const { site } = await startTunnel(scope, { transport: "http2", local: `http://127.0.0.1:${service.port}` });
    world = { scope, site, service, http2: http2Visitor(scope, site) };
  });

  after(() => console.log(JSON.stringify(tally())));

  declareAnswers(() => world);
  declareRequests(() => world);
  declareTalks(scope);
});
