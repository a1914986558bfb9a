import assert from "node:assert/strict";
import { parsePublicAddress } from "./public-address.ts";

describe("public names", () => {
  const id = "to6q4gtpfzzijwmeavzvwthpid";

  it("are read as they stand in a URL", () => {
    assert.deepEqual(parsePublicAddress("app.example.com"), { host: "app.example.com", port: 443 });
    assert.deepEqual(parsePublicAddress("https://App.Example.com:8443/"), { host: "app.example.com", port: 8443 });
    assert.deepEqual(parsePublicAddress(`tls://${id}.example.com`), {
      host: `${id}.example.com`,
      port: 443,
      clientId: id,
    });
  });

  for (const text of [
    "",
    "app",
    "5432",
    "https://app.example.com/path",
    "app.example.com:99999",
    "u@app.example.com",
    "-",
  ])
    it(`are not ${JSON.stringify(text)}`, () =>
      assert.throws(() => parsePublicAddress(text), { code: "usage", hint: /Copy it from the URL/ }));
});
