import { systemClock } from "../../util/index.ts";
import { linkCompliance } from "@porthole/testing/link-compliance";
import { createLink } from "../index.ts";
import { memoryConnectionPair } from "./index.ts";

linkCompliance(
  "memory",
  async () => {
    const { relay, client } = memoryConnectionPair();
    return {
      relay: createLink(relay, { clock: systemClock, heartbeat: "watch" }),
      client: createLink(client, { clock: systemClock, heartbeat: "send" }),
      dispose: async () => {},
    };
  },
  { manyAborts: 1_000, maxStalledBytes: 1024 * 1024 },
);
