import assert from "node:assert/strict";
import { planPorts } from "./port-plan.ts";

const one = "0.0.0.0";
const addresses = { api: one, public: one, alpn: one, http: one, quic: one };

describe("ports of a relay", () => {
  for (const [what, apiPort, publicPort, alpnPort, expected] of [
    ["a port each", 4433, 8443, 443, ["8443 visitors", "443 challenges", "4433 clients"]],
    ["no public name", 4433, 8443, undefined, ["8443 visitors", "4433 clients"]],
    ["challenges with visitors", 4433, 443, 443, ["443 visitors challenges", "4433 clients"]],
    ["clients with visitors", 8443, 8443, 443, ["8443 clients visitors", "443 challenges"]],
    ["clients with challenges", 443, 8443, 443, ["8443 visitors", "443 clients challenges"]],
    ["one port for all", 443, 443, 443, ["443 clients visitors challenges"]],
    ["the system's choice", 0, 0, 0, ["0 visitors challenges", "0 clients"]],
  ] as const) {
    it(what, () => {
      const plans = planPorts({ apiPort, publicPort, alpnPort, addresses });
      const roles = ["clients", "visitors", "challenges"] as const;
      assert.deepEqual(
        plans.map((plan) => [plan.port, ...roles.filter((role) => plan[role])].join(" ")),
        expected,
      );
    });
  }

  it("are two where the same number is opened on two addresses", () => {
    const plans = planPorts({
      ...{ apiPort: 443, publicPort: 443, alpnPort: 443 },
      addresses: { ...addresses, api: "192.0.2.1" },
    });
    assert.deepEqual(
      plans.map(({ address, port, clients, visitors }) => [address, port, clients, visitors]),
      [
        ["0.0.0.0", 443, false, true],
        ["192.0.2.1", 443, true, false],
      ],
    );
  });
});
