import { useScope } from "@porthole/testing/end-to-end";
import { declareClients } from "./clients.suite.ts";
import { useWorld } from "./world.ts";

describe("A tunnel is as transparent as none to programs", function () {
  this.timeout(60_000);
  const scope = useScope({ lasts: "suite" });
  declareClients(useWorld(scope, "http"));
});
