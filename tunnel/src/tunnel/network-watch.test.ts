import assert from "node:assert/strict";
import type { NetworkInterfaceInfo } from "node:os";
import { FakeClock } from "@porthole/testing/fake-clock";
import type { Clock } from "@porthole/common/util";
import { NetworkWatch, type Interfaces } from "./network-watch.ts";

function address(text: string, internal = false): NetworkInterfaceInfo {
  return { address: text, netmask: "255.255.255.0", family: "IPv4", mac: "", internal, cidr: null };
}

const wifi = { wlan0: [address("192.0.2.7")] };

describe("network watch", () => {
  const rows: readonly (readonly [string, ReturnType<Interfaces>, string[]])[] = [
    ["nothing", wifi, []],
    ["another address", { wlan0: [address("198.51.100.9")] }, ["The network has changed"]],
    ["no network", {}, ["The network has changed"]],
    ["a second network", { ...wifi, eth0: [address("10.0.0.4")] }, ["The network has changed"]],
    ["the same in another order", { lo: [address("127.0.0.1", true)], ...wifi }, []],
    ["an address that leads nowhere", { ...wifi, eth1: [address("169.254.3.4"), address("fe80::1")] }, []],
  ];
  for (const [what, after, expected] of rows) {
    it(`${what}: ${expected[0] ?? "is not worth a word"}`, async () => {
      const clock = new FakeClock();
      let now: ReturnType<Interfaces> = wifi;
      const seen: string[] = [];
      const watch = new NetworkWatch({ clock, interfaces: () => now, onChange: (text) => seen.push(text) });
      await clock.advance(10_000);
      now = after;
      await clock.advance(10_000);
      assert.deepEqual(seen, expected);
      watch.stop();
      assert.equal(clock.pending, 0);
    });
  }

  for (const name of ["now", "monotonic"] as const) {
    it(`notices that the machine was asleep by a jump of clock.${name}()`, async () => {
      const clock = new FakeClock();
      let jumpMs = 0;
      const jumpy: Clock = {
        now: () => clock.now() + (name === "now" ? jumpMs : 0),
        monotonic: () => clock.monotonic() + (name === "monotonic" ? jumpMs : 0),
        timer: (delayMs, callback) => clock.timer(delayMs, callback),
      };
      const seen: string[] = [];
      const watch = new NetworkWatch({ clock: jumpy, interfaces: () => wifi, onChange: (text) => seen.push(text) });
      await clock.advance(10_000);
      assert.deepEqual(seen, []);
      jumpMs = 60_000;
      await clock.advance(10_000);
      assert.deepEqual(seen, ["This machine was asleep"]);
      watch.stop();
    });
  }

  it("reads this machine's own interfaces", () => {
    const watch = new NetworkWatch({ clock: new FakeClock(), onChange: () => assert.fail() });
    watch.stop();
  });
});
