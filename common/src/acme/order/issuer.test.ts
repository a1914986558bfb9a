import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PortholeError } from "../../errors.ts";
import { createCertificate, generateKey } from "../../identity/index.ts";
import { silentLogger } from "../../log.ts";
import { FakeCa, problem } from "@porthole/testing/fake-ca";
import { FakeClock } from "@porthole/testing/fake-clock";
import { systemClock } from "../../util/index.ts";
import { fileAccounts } from "./account-store.ts";
import { certificateId } from "./ari.ts";
import { Challenges } from "./challenges.ts";
import { acmeIssuer, type AcmeIssuerOptions, type IssueRequest } from "./issuer.ts";
import { problemOf } from "../wire/problem.ts";

const name = "abc.tunnel.test";
const clock = systemClock;

describe("ACME against an authority that misbehaves", () => {
  let folder: string;
  let path: string;
  let ca: FakeCa;
  let abort: AbortController;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-acme-"));
    path = join(folder, "accounts.json");
    ca = new FakeCa(clock);
    await ca.listen();
    abort = new AbortController();
  });
  afterEach(async () => {
    await ca.close();
    await rm(folder, { recursive: true, force: true });
  });

  function issuer(more: Partial<AcmeIssuerOptions> = {}) {
    const accounts = fileAccounts(path, clock, silentLogger);
    const { directoryUrl } = ca;
    return acmeIssuer({ directoryUrl, accounts, answer: new Challenges(), clock, log: silentLogger, ...more });
  }

  function issue(more: Partial<IssueRequest> = {}, options: Partial<AcmeIssuerOptions> = {}) {
    return issuer(options).issue({ name, key: generateKey(), stagingFirst: false, ...more }, abort.signal);
  }

  function fails(code: string, more: { text?: RegExp; hint?: RegExp; type?: string; retryAfterMs?: number }) {
    return (thrown: PortholeError): boolean => {
      assert.ok(thrown instanceof PortholeError, String(thrown));
      assert.equal(thrown.code, code, thrown.message);
      if (more.text) assert.match(thrown.message, more.text);
      if (more.hint) assert.match(thrown.hint ?? "", more.hint);
      if (more.type !== undefined) assert.equal(problemOf(thrown)?.type, more.type);
      if (more.retryAfterMs !== undefined) assert.equal(thrown.retryAfterMs, more.retryAfterMs);
      return true;
    };
  }

  it("issues, in few requests", async () => {
    assert.equal((await issue()).length, 2);
    const before = ca.seen.length;
    await issue();
    const resources = ca.seen.slice(before).map(({ resource }) => resource);
    assert.equal(resources.filter((resource) => resource === "newNonce").length, 1);
    assert.equal(resources.length, 9, resources.join(" "));
  });

  it("429: busy at once, with the time from Retry-After, in seconds or as a date", async () => {
    ca.next("newOrder", problem(429, "rateLimited", "too many certificates", { "retry-after": "3600" }));
    const expected = fails("busy", { type: "rateLimited", retryAfterMs: 3_600_000, text: /too many certificates/ });
    await assert.rejects(issue(), expected);
    const date = new Date(clock.now() + 7_200_000).toUTCString();
    ca.next("newOrder", problem(429, "rateLimited", "", { "retry-after": date }));
    await assert.rejects(issue(), (thrown: PortholeError) => Math.abs((thrown.retryAfterMs ?? 0) - 7_200_000) < 10_000);
    // 24.8 days are more milliseconds than a timer takes; nobody waits for a year because of a typing error.
    ca.next("newOrder", problem(429, "rateLimited", "", { "retry-after": "31536000" }));
    await assert.rejects(issue(), fails("busy", { retryAfterMs: 7 * 24 * 3_600_000 }));
    ca.next("newOrder", problem(429, "rateLimited", "", { "retry-after": "soon" }));
    await assert.rejects(issue(), (thrown: PortholeError) => thrown.retryAfterMs === undefined);
  });

  it("503: at the nonce, the directory and in the middle of an order", async () => {
    const reply = { status: 503, headers: { "retry-after": "60", "content-type": "text/html" }, body: "<h1>busy</h1>" };
    for (const resource of ["directory", "newNonce", "authorization", "finalize"] as const) {
      ca.next(resource, reply);
      await assert.rejects(issue(), fails("busy", { retryAfterMs: 60_000 }), resource);
    }
  });

  it("bad nonces: the order continues, and ends if there is nothing else", async () => {
    ca.next("newOrder", problem(400, "badNonce"), problem(400, "badNonce"));
    ca.next("finalize", problem(400, "badNonce"));
    await issue();
    ca.next("newOrder", ...Array.from({ length: 10 }, () => problem(400, "badNonce")));
    await assert.rejects(issue(), fails("busy", { type: "badNonce" }));
  });

  it("a hang ends at the deadline, and when told to", async () => {
    const fake = new FakeClock();
    ca.next("newOrder", { hang: true });
    const order = issue({}, { clock: fake });
    const rejected = assert.rejects(order, fails("timeout", { text: /127\.0\.0\.1:\d+ took longer than 30 s/ }));
    while (ca.count("newOrder") === 0) await fake.advance(0);
    await fake.advance(30_000);
    await rejected;
    assert.equal(fake.pending, 0);
    ca.next("finalize", { hang: true });
    const second = issue();
    const aborted = assert.rejects(second, /enough/);
    while (ca.count("finalize") === 0) await fake.advance(0);
    abort.abort(new Error("enough"));
    await aborted;
  });

  it("an answer that never ends, or is no ACME at all", async () => {
    ca.next("directory", { headers: { "content-type": "text/html" }, body: "<html>Please log in</html>" });
    await assert.rejects(issue(), fails("protocol", { hint: /\{acme-directory\}/ }));
    ca.next("directory", { body: { meta: {} } });
    await assert.rejects(issue(), fails("protocol", { text: /lacks newNonce/ }));
    ca.next("newOrder", { status: 201, headers: { "content-type": "text/html" }, body: "<html>" });
    await assert.rejects(issue(), fails("protocol", { text: /text\/html/ }));
    ca.next("newOrder", { status: 201, body: { status: "pending" } });
    await assert.rejects(issue(), fails("protocol", {}));
    ca.next("certificate", { body: "x".repeat(2 * 1024 * 1024) });
    await assert.rejects(issue(), fails("limit", {}));
    ca.next("certificate", { body: "-----BEGIN CERTIFICATE-----\nAAAA\n" });
    await assert.rejects(issue(), fails("state", { text: /authority's answer/ }));
  });

  it("an invalid order says what the validators found, and what to do", async () => {
    ca.invalid = { type: "connection", detail: "Timeout during connect (likely firewall problem)" };
    await assert.rejects(issue(), fails("ca", { type: "connection", text: /firewall/, hint: /Port 443 of abc/ }));
    ca.invalid = { type: "caa", detail: "CAA record for tunnel.test prevents issuance" };
    await assert.rejects(issue(), fails("name", { hint: /CAA/ }));
    ca.invalid = undefined;
    ca.next("order", {
      body: { status: "invalid", url: "", authorizations: [], finalize: "", error: { detail: "no" } },
    });
    await assert.rejects(issue(), fails("ca", { text: /no/ }));
  });

  it("one lost question does not cost the order", async () => {
    const fake = new FakeClock();
    ca.next("authorization", undefined, { hang: true });
    const order = issue({}, { clock: fake });
    while (ca.count("authorization") < 2) await fake.advance(0);
    await fake.advance(31_000);
    await order;
    assert.equal(ca.count("newOrder"), 1);
  });

  it("a lost account is made again, once; one that is refused is not", async () => {
    await issue();
    ca.forgetAccounts();
    await issue();
    assert.equal(ca.count("newAccount"), 3, "made, looked for, made");
    ca.next("newOrder", problem(403, "unauthorized", "account is deactivated"));
    await assert.rejects(issue(), fails("unauthorized", { text: /deactivated/ }));
    const lost = problem(400, "accountDoesNotExist");
    ca.next("newOrder", lost, lost, lost);
    await assert.rejects(issue(), fails("unauthorized", { type: "accountDoesNotExist" }));
  });

  it("a registration that was cut off finds its account by its key", async () => {
    ca.next("newAccount", { status: 201, hang: true });
    const first = issue();
    const cut = assert.rejects(first);
    while (ca.count("newAccount") === 0) await new FakeClock().advance(0);
    abort.abort(new PortholeError("aborted", "power cut"));
    await cut;
    abort = new AbortController();
    const before = await readFile(path, "utf8");
    await issue();
    const key = /PRIVATE KEY-----([^-]*)/;
    assert.equal(key.exec(before)?.[1], key.exec(await readFile(path, "utf8"))?.[1]);
  });

  it("an authority that wants an e-mail address: what to give", async () => {
    for (const type of ["invalidContact", "unsupportedContact", "malformed"]) {
      ca.next("newAccount", problem(400, type, "contact email is required"));
      await assert.rejects(issue(), fails("usage", { hint: /\{acme-email\}/ }), type);
      await rm(path);
    }
    await issue({}, { email: "a@tunnel.test" });
    assert.deepEqual(ca.seen.findLast(({ resource }) => resource === "newAccount")?.payload["contact"], [
      "mailto:a@tunnel.test",
    ]);
    await issue({}, { email: "b@tunnel.test" });
    assert.deepEqual(ca.seen.find(({ resource }) => resource === "account")?.payload["contact"], [
      "mailto:b@tunnel.test",
    ]);
  });

  it("one that wants a customer's account says so before anything is registered", async () => {
    ca.meta = { externalAccountRequired: true };
    await assert.rejects(issue(), fails("usage", { hint: /\{acme-eab-kid\}/ }));
    assert.equal(ca.count("newAccount"), 0);
  });

  it("a damaged accounts file is kept aside, and a new account made", async () => {
    await issue();
    for (const damage of ["", "{", '{"version":1,"accounts":{"x":{}}}']) {
      await writeFile(path, damage);
      await issue();
      assert.equal(await readFile(`${path}.damaged`, "utf8"), damage);
    }
    assert.deepEqual(await readdir(folder), ["accounts.json", "accounts.json.damaged"]);
  });

  it("a directory that can't be reached, or whose certificate is not trusted", async () => {
    await assert.rejects(
      issue({}, { directoryUrl: "http://127.0.0.1:1/directory" }),
      fails("unreachable", { text: /127\.0\.0\.1:1 can't be reached: it refuses/, hint: /network/ }),
    );
    for (const directoryUrl of ["http://ca.test/directory", "letsencrypt", "ftp://127.0.0.1/"])
      await assert.rejects(issue({}, { directoryUrl }), fails("usage", { hint: /https address/ }));
    const key = generateKey();
    const cert = createCertificate({ key, dnsNames: ["other.test"], notBefore: new Date(0), days: 36_500 }).pem;
    const server = https.createServer({ key: key.pem, cert }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const directoryUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      // At once: the pauses that acme-client makes of its own accord are longer than a test may take.
      await assert.rejects(
        issue({}, { directoryUrl }),
        fails("untrusted", { text: /self-signed/, hint: /NODE_EXTRA_CA/ }),
      );
      await assert.rejects(issue({}, { directoryUrl, trust: cert }), fails("untrusted", { text: /another name/ }));
    } finally {
      server.close();
    }
  });

  it("tells which certificate it replaces, where the authority knows the word", async () => {
    const first = await issue();
    await issue({ replaces: first });
    assert.equal(ca.seen.findLast(({ resource }) => resource === "newOrder")?.payload["replaces"], undefined);
    ca.renewalInfo = () => ({});
    await issue({ replaces: first });
    const replaces = ca.seen.findLast(({ resource }) => resource === "newOrder")?.payload["replaces"];
    assert.equal(replaces, certificateId(first.leaf));
  });

  it("alreadyReplaced: orders once more, as a new one", async () => {
    ca.renewalInfo = () => ({});
    const first = await issue();
    for (const refusal of [problem(409, "alreadyReplaced"), problem(403, "unauthorized"), problem(404, "malformed")]) {
      const before = ca.count("newOrder");
      ca.next("newOrder", refusal);
      await issue({ replaces: first });
      const orders = ca.seen.filter(({ resource }) => resource === "newOrder").slice(before);
      assert.deepEqual(
        orders.map(({ payload }) => "replaces" in payload),
        [true, false],
      );
    }
    ca.next("newOrder", problem(429, "rateLimited"));
    await assert.rejects(issue({ replaces: first }), fails("busy", {}));
  });

  it("asks when to renew (ARI)", async () => {
    const chain = await issue();
    const signal = new AbortController().signal;
    assert.equal((await issuer().renewalWindow(chain, signal)).window, undefined);
    const suggestedWindow = { start: "2026-03-01T00:00:00Z", end: "2026-03-02T00:00:00Z" };
    ca.renewalInfo = () => ({ body: { suggestedWindow }, headers: { "retry-after": "21600" } });
    assert.deepEqual(await issuer().renewalWindow(chain, signal), {
      window: { start: Date.UTC(2026, 2, 1), end: Date.UTC(2026, 2, 2) },
      retryAfterMs: 21_600_000,
    });
    ca.renewalInfo = () => problem(503, "serverInternal", "", { "retry-after": "30" });
    await assert.rejects(issuer().renewalWindow(chain, signal), fails("busy", { retryAfterMs: 30_000 }));
  });

  it("tries the staging authority first, whose failure costs the real one nothing", async () => {
    const staging = new FakeCa(clock);
    await staging.listen();
    try {
      const options = { stagingUrl: staging.directoryUrl };
      await issue({}, options);
      assert.equal(staging.seen.length, 0);
      staging.invalid = { type: "dns", detail: "NXDOMAIN" };
      const before = ca.seen.length;
      await assert.rejects(issue({ stagingFirst: true }, options), fails("ca", { text: /NXDOMAIN/ }));
      assert.equal(ca.seen.length, before);
      staging.invalid = undefined;
      await issue({ stagingFirst: true }, options);
      assert.equal(staging.count("certificate"), 1);
    } finally {
      await staging.close();
    }
  });
});
