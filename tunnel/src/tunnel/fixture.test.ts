// What the tests of this folder share. It has the name of a test so that it is not published.
import { generateKey } from "@porthole/common/identity";
import type { Welcome } from "@porthole/common/protocol";

export const key = generateKey();

export const welcome: Welcome = {
  type: "welcome",
  clientId: key.clientId,
  hostnames: [`${key.clientId}.localhost`],
  publicPort: 443,
  limits: { maxStreams: 1_000 },
  software: "relay/test",
  observedAddress: "127.0.0.1",
};
