import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { createCertificate, generateKey } from "../../identity/index.ts";
import { certificateId, nextWindowCheck, readRenewalWindow } from "./ari.ts";

/** RFC 9773, appendix A. Its serial number has a leading zero that must not get lost. */
const example = `-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----`;

describe("ACME renewal information", () => {
  it("names a certificate as RFC 9773 does", () => {
    assert.equal(certificateId(new X509Certificate(example)), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  });

  it("has no name for one without an authority key identifier", () => {
    const { pem } = createCertificate({ key: generateKey(), dnsNames: ["a.test"], notBefore: new Date(0), days: 1 });
    assert.equal(certificateId(new X509Certificate(pem)), undefined);
  });

  it("reads a window, and nothing that is none", () => {
    const suggestedWindow = { start: "2026-01-02T04:00:00Z", end: "2026-01-03T04:00:00Z" };
    const window = { start: Date.UTC(2026, 0, 2, 4), end: Date.UTC(2026, 0, 3, 4) };
    assert.deepEqual(readRenewalWindow({ suggestedWindow }), window);
    const explanationURL = "https://ca.test/why";
    assert.deepEqual(readRenewalWindow({ suggestedWindow, explanationURL }), {
      ...window,
      explanationUrl: explanationURL,
    });
    const { start, end } = suggestedWindow;
    for (const bad of [
      { start: end, end: start },
      { start, end: start },
      { start: "soon", end },
      { start },
      1,
      undefined,
    ])
      assert.equal(readRenewalWindow({ suggestedWindow: bad }), undefined);
    for (const bad of [undefined, null, "", 7, []]) assert.equal(readRenewalWindow(bad), undefined);
  });

  it("asks again when the server says, within a minute and half a day", () => {
    const cases = { 0: 60_000, 21_600_000: 21_600_000, 999_999_999_999: 43_200_000 };
    for (const [asked, expected] of Object.entries(cases))
      assert.equal(nextWindowCheck(5, Number(asked)), 5 + expected);
    assert.equal(nextWindowCheck(0, undefined), 6 * 3_600_000);
  });
});
