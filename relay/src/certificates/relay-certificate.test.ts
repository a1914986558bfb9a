import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { silentLogger } from "@porthole/common/log";
import { readOptions } from "@porthole/common/options";
import { until } from "@porthole/testing";
import { systemClock } from "@porthole/common/util";
import { openCertificate } from "./relay-certificate.ts";
import { relayConfig } from "../config/config.ts";
import { relayOptions } from "../config/options.ts";

describe("the relay's certificate from files", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-certificate-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A new pair in the files; answers the certificate. */
  async function renew(): Promise<string> {
    const key = generateKey();
    const { pem } = createCertificate({ key, dnsNames: ["relay.example"], notBefore: new Date(), days: 1 });
    await Promise.all([writeFile(join(folder, "cert.pem"), pem), writeFile(join(folder, "key.pem"), key.pem)]);
    return pem;
  }

  it("is the new one also when that came while the relay started, and is told once", async () => {
    const first = await renew();
    const argv = ["--tls-cert", join(folder, "cert.pem"), "--tls-key", join(folder, "key.pem"), "--state-dir", folder];
    const told: string[] = [];
    const failures: string[] = [];
    const source = await openCertificate(relayConfig(readOptions(relayOptions, argv, {}).values), {
      clock: systemClock,
      log: silentLogger,
      onCertificate: ({ cert }) => void told.push(cert),
      onFailure: ({ code }) => void failures.push(code),
    });
    assert.equal(source.first.cert, first);
    const second = await renew();
    const stop = new AbortController();
    const kept = source.keep(stop.signal);
    await until(() => told.length > 0, "the new one was told");
    const third = await renew();
    await until(() => told.at(-1) === third, "the next one was told");
    assert.equal(told[0], second);
    assert.ok(!told.includes(first));
    failures.length = 0;
    await writeFile(join(folder, "cert.pem"), "nothing");
    await until(() => failures.includes("state"), "the damaged file was told");
    assert.equal(told.at(-1), third);
    stop.abort();
    await kept;
  });
});
