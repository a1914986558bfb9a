import assert from "node:assert/strict";
import { requestedHost } from "./requested-host.ts";

const name = "abc.example.net";

function asked(host: string, target = "/") {
  const request = { httpVersion: "1.1", method: "GET", target, headers: ["Host", host] } as const;
  return requestedHost(request, name, (hostname) => hostname === name);
}

describe("the host that a request asks for", () => {
  for (const [host, authority] of [
    [name, name],
    [`${name}:8443`, `${name}:8443`],
    [`${name}:443`, name],
    [`${name}:08443`, `${name}:8443`],
    ["ABC.example.net:8443", `${name}:8443`],
  ] as const)
    it(`${host} is ours`, () => {
      assert.deepEqual(asked(host), { authority, target: "/" });
    });

  for (const [host, status] of [
    ["other.example.net", 421],
    ["other.example.net:8443", 421],
    [`${name}:`, 400],
    [`${name}:x`, 400],
    [`${name}:123456`, 400],
    [`${name}:80:80`, 400],
    [`${name}:-1`, 400],
    [`user@${name}`, 400],
    ["", 400],
  ] as const)
    it(`${JSON.stringify(host)} is refused with ${status}`, () => {
      assert.equal("status" in asked(host) && (asked(host) as { status: number }).status, status);
    });
});
