import assert from "node:assert/strict";
import { readAddress, readPortArgument, readPortNumber } from "./port-argument.ts";
import { localOf, portViewForms, type PortTarget } from "./port-target.ts";

const target = (host: string, port: number, more: Partial<PortTarget> = {}): PortTarget => ({
  host,
  port,
  scheme: undefined,
  label: undefined,
  ...more,
});

/** As the Ports view of a web workbench hands it over. */
const detected = {
  tunnelType: "Forwarded",
  remoteHost: "127.0.0.1",
  remotePort: 44_797,
  source: { source: 1, description: "Auto Forwarded" },
  hasRunningProcess: true,
  protocol: "http",
  localUri: { scheme: "http", authority: "127.0.0.1:33849", path: "/proxy/44797/" },
  localAddress: "http://127.0.0.1:33849/proxy/44797/",
  closeable: true,
  runningProcess: ["/usr/bin/node", "ports2.js", "1", ""].join("\0"),
  pid: 23_901,
  _privacy: "private",
};

describe("readPortArgument", () => {
  const web = target("localhost", 44_797, { scheme: "http", label: "node ports2.js" });

  for (const [name, argument, side, expected] of [
    ["a detected port beside the files", detected, "workspace", web],
    ["a proxy's URL beside the window, which is not the port", detected, "ui", web],
    [
      "a forwarded port beside the window",
      { ...detected, localAddress: "localhost:5000" },
      "ui",
      { ...web, port: 5_000 },
    ],
    ["one that is forwarded to port 80", { ...detected, localAddress: "localhost:80" }, "ui", { ...web, port: 80 }],
    ["a forwarded port with a label", { ...detected, name: "my web" }, "workspace", { ...web, label: "my web" }],
    [
      "a candidate, which has no local address",
      { tunnelType: "Candidate", remoteHost: "localhost", remotePort: 3000 },
      "workspace",
      target("localhost", 3000),
    ],
    [
      "an IPv6 loopback as the kernel lists it",
      { remoteHost: "0:0:0:0:0:0:0:1", remotePort: 5173, protocol: "https" },
      "workspace",
      target("localhost", 5173, { scheme: "https" }),
    ],
    ["all addresses", { remoteHost: "0.0.0.0", remotePort: 80 }, "workspace", target("localhost", 80)],
    [
      "another host of the container's network",
      { remoteHost: "db", remotePort: 5432 },
      "workspace",
      target("db", 5432),
    ],
  ] as const)
    it(`reads ${name}`, () => assert.deepEqual(readPortArgument(argument, side), expected));

  for (const [name, argument] of [
    ["nothing: the empty part of the table, or the palette", undefined],
    ["null", null],
    ["a string", "localhost:3000"],
    ["the row that adds a port", { tunnelType: "Add", remoteHost: "", remotePort: 0 }],
    ["a port that is text", { remoteHost: "localhost", remotePort: "3000" }],
    ["a port out of range", { remoteHost: "localhost", remotePort: 70_000 }],
    ["a host with a path", { remoteHost: "localhost/../x", remotePort: 3000 }],
    ["a host with a user", { remoteHost: "a@evil.example", remotePort: 3000 }],
    ["an endless host", { remoteHost: "a".repeat(5_000), remotePort: 3000 }],
    ["an editor's resource", { scheme: "file", path: "/a", fsPath: "/a" }],
  ] as const)
    it(`takes ${name} for no port`, () => assert.equal(readPortArgument(argument, "workspace"), undefined));
});

describe("readPortNumber", () => {
  for (const argument of [3000, "3000", { port: 3000 }, { port: "3000" }])
    it(`reads ${JSON.stringify(argument)}`, () =>
      assert.deepEqual(readPortNumber(argument), target("localhost", 3000)));
  for (const argument of [
    undefined,
    null,
    0,
    70_000,
    1.5,
    "",
    "3000x",
    "localhost:3000",
    {},
    [3000],
    { exposureId: "x" },
  ])
    it(`takes ${JSON.stringify(argument)} for none`, () => assert.equal(readPortNumber(argument), undefined));
});

describe("readAddress", () => {
  for (const [written, expected] of [
    ["127.0.0.1:3000", target("localhost", 3000)],
    ["[::1]:3000", target("localhost", 3000)],
    ["http://localhost:3000/", target("localhost", 3000, { scheme: "http" })],
    ["https://localhost", target("localhost", 443, { scheme: "https" })],
    ["localhost:80", target("localhost", 80)],
    ["http://localhost:80/", target("localhost", 80, { scheme: "http" })],
    ["box.local:8080", target("box.local", 8080)],
    ["localhost", undefined],
    ["http://host/proxy/3000/", undefined],
    ["file:///etc/passwd", undefined],
    ["", undefined],
  ] as const)
    it(`reads "${written}"`, () => assert.deepEqual(readAddress(written), expected));
});

describe("a port target", () => {
  it("is written as the command line takes it", () => {
    assert.equal(localOf(target("localhost", 3000, { scheme: "http" })), "localhost:3000");
    assert.equal(localOf(target("fe80::1", 3000)), "[fe80::1]:3000");
    assert.equal(localOf(target("localhost", 3443, { scheme: "https" })), "https://localhost:3443");
  });

  it("is recognized in the Ports view in every form", () => {
    const forms = portViewForms(target("localhost", 3000));
    for (const form of ["localhost:3000", "127.0.0.1:3000", "0.0.0.0:3000", "0:0:0:0:0:0:0:1:3000"])
      assert.ok(forms.includes(form), form);
  });
});
