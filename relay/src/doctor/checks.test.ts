import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { systemClock, type Clock } from "@porthole/common/util";
import { isGlobal } from "./addresses.ts";
import { checkCertificate, presentedCertificate } from "./certificate.ts";
import { checkClock } from "./clock.ts";
import { describeChecks } from "./check.ts";
import { checkStateFolder } from "./state-folder.ts";
import { checkSystem } from "./system.ts";

const { signal } = new AbortController();
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const key = generateKey();

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  await closed;
}

function clockAt(now: number): Clock {
  return { ...systemClock, now: () => now };
}

describe("the clock", () => {
  const { pem } = createCertificate({ key, dnsNames: ["localhost"], notBefore: new Date(), days: 1 });

  for (const [what, offsetMs, status, text] of [
    ["is right", 0, "ok", /^agrees with 127/],
    ["is a little off", 40_000, "ok", /^agrees/],
    ["is a day ahead", dayMs, "failed", /^is 24 h ahead of that of/],
    ["is ten minutes behind", -10 * minuteMs, "failed", /^is 10 min behind that of/],
  ] as const) {
    it(`${what}, says a server with a certificate that nobody trusts`, async () => {
      const server = createHttpsServer({ cert: pem, key: key.pem }, (_request, response) => response.end());
      const port = await listen(server);
      const finding = await checkClock(`https://127.0.0.1:${port}/directory`, clockAt(Date.now() + offsetMs), signal);
      assert.equal(finding.status, status);
      assert.match(finding.finding, text);
      assert.equal(finding.fix === undefined, status === "ok");
      await close(server);
    });
  }

  it("can't be compared offline, or with a server that tells no time", async () => {
    const away = await checkClock("http://127.0.0.1:1/", systemClock, signal);
    assert.equal(away.status, "skipped");
    assert.match(away.finding, /^no time from 127\.0\.0\.1:1: .*ECONNREFUSED/);
    const server = http.createServer((_request, response) => {
      response.sendDate = false;
      response.end();
    });
    const port = await listen(server);
    assert.match((await checkClock(`http://127.0.0.1:${port}/`, systemClock, signal)).finding, /has no date/);
    await close(server);
  });
});

describe("the certificate", () => {
  const now = Date.UTC(2026, 10, 24);
  const context = { name: "t.example.com", byAcme: false, clock: clockAt(now), isProxied: false };
  const made = (from: number, days: number) => {
    const { pem } = createCertificate({ key, dnsNames: ["t.example.com"], notBefore: new Date(from), days });
    return new X509Certificate(pem);
  };
  for (const [what, certificate, byAcme, status, text] of [
    ["is good", made(now - dayMs, 90), false, "ok", /^self-signed.*pin [a-z2-7]{52}; valid until 2027-/],
    ["has expired", made(now - 90 * dayMs, 89), false, "failed", /^has expired on 2026-11-23/],
    ["will expire", made(now - 90 * dayMs, 93), false, "warning", /^expires in 3 d/],
    ["is of tomorrow", made(now + dayMs, 90), false, "failed", /^is valid only from 2026-11-25/],
    ["should be a CA's", made(now - dayMs, 90), true, "warning", /^is still self-signed/],
  ] as const) {
    it(what, () => {
      const finding = checkCertificate(certificate, { ...context, byAcme });
      assert.equal(finding.status, status);
      assert.match(finding.finding, text);
      assert.equal(finding.fix === undefined, status === "ok");
    });
  }

  it("is seen where it is presented", async () => {
    const { pem } = createCertificate({ key, dnsNames: ["t.example.com"], notBefore: new Date(), days: 9 });
    const server = createHttpsServer({ cert: pem, key: key.pem, ALPNProtocols: ["h2"] });
    const port = await listen(server);
    const present = () => presentedCertificate("127.0.0.1", port, { ...context, clock: systemClock }, signal);
    assert.equal((await present()).fingerprint256, new X509Certificate(pem).fingerprint256);
    await close(server);
    await assert.rejects(present(), { code: "unreachable", message: /does not speak TLS.*ECONNREFUSED/ });
  });
});

describe("files and system", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-doctor-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("keys are for nobody else", async () => {
    const path = join(folder, "relay-key.pem");
    await writeFile(path, "key", { mode: 0o600 });
    assert.deepEqual(
      (await checkStateFolder(folder)).map(({ status }) => status),
      ["ok"],
    );
    await chmod(path, 0o644);
    await chmod(folder, 0o755);
    const checks = await checkStateFolder(folder);
    assert.deepEqual(
      checks.map(({ status, fix }) => [status, fix]),
      [
        ["failed", `chmod 700 ${folder}`],
        ["failed", `chmod 600 ${path}`],
      ],
    );
  });

  it("lists of keys may be read by others, and not written", async () => {
    const list = join(folder, "keys.txt");
    await mkdir(join(folder, "state"), { mode: 0o700 });
    await writeFile(list, "", { mode: 0o644 });
    const check = async () => (await checkStateFolder(join(folder, "state"), [list])).map(({ status }) => status);
    assert.deepEqual(await check(), ["ok"]);
    await chmod(list, 0o666);
    assert.deepEqual(await check(), ["failed"]);
  });

  it("a folder that is not there is no problem yet", async () => {
    assert.equal((await checkStateFolder(join(folder, "none")))[0]?.status, "skipped");
  });

  async function proc(files: Readonly<Record<string, string>>): Promise<string[]> {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    return (await checkSystem(folder)).map(({ status, finding, fix }) => `${status} ${finding} ${fix ?? ""}`);
  }

  it("bbr, larger buffers and more files are advised where they are missing", async () => {
    const [tcp, udp, files] = await proc({
      "sys/net/core/rmem_max": "212992\n",
      "sys/net/ipv4/tcp_congestion_control": "cubic\n",
      "sys/net/ipv4/tcp_available_congestion_control": "reno cubic\n",
      "self/limits":
        "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files     \n",
    });
    assert.match(
      tcp ?? "",
      /^warning congestion control is cubic.*modprobe tcp_bbr; sysctl -w .*tcp_congestion_control=bbr/,
    );
    assert.match(udp ?? "", /^warning only 208 KiB.*sysctl -w net\.core\.rmem_max=4194304/);
    assert.match(files ?? "", /^warning only 1024 open files.*LimitNOFILE/);
  });

  it("is fine where they are there", async () => {
    const [tcp, udp, files] = await proc({
      "sys/net/core/rmem_max": "4194304\n",
      "sys/net/ipv4/tcp_congestion_control": "bbr\n",
      "self/limits": "Max open files            65536                65536                files     \n",
    });
    assert.match(tcp ?? "", /^ok/);
    assert.match(udp ?? "", /^ok up to 4096 KiB/);
    assert.match(files ?? "", /^ok up to 65536/);
  });

  it("is not known where there is no /proc", async () => {
    assert.ok((await proc({})).every((line) => line.startsWith("skipped")));
  });
});

describe("addresses", () => {
  for (const address of ["203.0.113.7", "8.8.8.8", "2001:db8::1", "2a00::1"])
    it(`${address} can be reached from anywhere`, () => assert.ok(isGlobal(address)));
  for (const address of [
    "10.1.2.3",
    "172.31.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.1.1",
    "127.0.0.1",
    "::1",
    "fe80::1",
    "fd00::1",
  ])
    it(`${address} can't`, () => assert.ok(!isGlobal(address)));
});

describe("checks", () => {
  it("are a line each, with the fix below", () => {
    const text = describeChecks([
      { id: "dns", status: "ok", finding: "fine" },
      { id: "clock", status: "failed", finding: "is off", fix: "Set it." },
    ]);
    assert.equal(text, "ok       dns: fine\nFAILED   clock: is off\n           Set it.\n");
  });
});
