import { createLink } from "@porthole/common/link";
import { systemClock } from "@porthole/common/util";
import { linkCompliance } from "./link-compliance.ts";
import { memoryConnectionPair } from "./memory-link.ts";

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
