// What the tests of this folder share. It has the name of a test so that it is not published.
import type { Welcome } from "@porthole/common/protocol";

export const welcome: Welcome = {
  type: "welcome",
  clientId: "aaaaaaaaaaaaaaaaaaaaaaaaaa",
  hostnames: ["aaaaaaaaaaaaaaaaaaaaaaaaaa.localhost"],
  publicPort: 443,
  limits: { maxStreams: 1_000 },
  software: "relay/test",
  observedAddress: "127.0.0.1",
};
