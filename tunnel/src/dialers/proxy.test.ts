import assert from "node:assert/strict";
import { proxyFrom, proxyUrl } from "./proxy.ts";

describe("the proxy to a relay", () => {
  const relay = { host: "relay.example.com", port: 4433 };

  /** What the environment says, for the time of the call. */
  function inEnvironment(variables: Record<string, string>, host = relay.host): string | undefined {
    const before = { ...process.env };
    Object.assign(process.env, variables);
    try {
      const proxy = proxyFrom(undefined)({ ...relay, host });
      return proxy && `${proxy.protocol}//${proxy.host}:${proxy.port}`;
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name];
      Object.assign(process.env, before);
    }
  }

  for (const [what, variables, host, expected] of [
    ["HTTPS_PROXY", { HTTPS_PROXY: "http://proxy:3128" }, relay.host, "http://proxy:3128"],
    ["ALL_PROXY", { ALL_PROXY: "https://proxy" }, relay.host, "https://proxy:443"],
    ["no HTTP_PROXY, which is for plain HTTP", { HTTP_PROXY: "http://proxy:3128" }, relay.host, undefined],
    ["nothing for what NO_PROXY names", { HTTPS_PROXY: "http://p:1", NO_PROXY: ".example.com" }, relay.host, undefined],
    ["nothing for this machine", { HTTPS_PROXY: "http://p:1" }, "localhost", undefined],
    ["something for an IPv6 address", { HTTPS_PROXY: "http://p:1" }, "2001:db8::1", "http://p:1"],
  ] as const)
    it(`comes from the environment: ${what}`, () => assert.equal(inEnvironment(variables, host), expected));

  it("is an error where the environment names what is none, and the text is not in it", () => {
    assert.throws(
      () => inEnvironment({ HTTPS_PROXY: "socks5://user:s3cret@proxy:1080" }),
      (error: Error) => /HTTPS_PROXY/.test(error.message) && !/s3cret/.test(error.message),
    );
  });

  it("can be chosen, and none too", () => {
    assert.deepEqual(proxyUrl.parse("http://[::1]:3128"), { protocol: "http:", host: "::1", port: 3128 });
    assert.equal(proxyUrl.parse("direct"), "direct");
    assert.equal(proxyFrom("direct")(relay), undefined);
  });

  for (const text of ["", "proxy:3128", "socks5://proxy:1080", "http://proxy/path", "http://proxy?x", "http://"])
    it(`${JSON.stringify(text)} is refused`, () => assert.throws(() => proxyUrl.parse(text), { code: "usage" }));
});
