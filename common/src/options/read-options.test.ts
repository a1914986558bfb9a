import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { PortholeError } from "../errors.ts";
import type { Secret } from "../util/secret.ts";
import { defineOptions } from "./options.ts";
import { choice, flag, hex, hostPort, integer, port, text, type HostPort } from "./parsers.ts";
import { asksFor, readOptions, type ReadContext } from "./read-options.ts";

const options = defineOptions({
  server: { help: "Relay", parse: hostPort(4433), repeatable: true },
  "api-port": { help: "Port for clients", parse: port, default: "4433" },
  "domain-suffix": { help: "Suffix", parse: text },
  transport: { help: "Transport", parse: choice("auto", "quic", "h2"), default: "auto" },
  open: { help: "Lets anyone in", parse: flag },
  qr: { help: "Prints a QR code", parse: flag, default: "true" },
  token: { help: "Invite", parse: text, secret: true },
  hmac: { help: "EAB key", parse: hex, secret: true },
  "pool-size": { help: "Connections", parse: integer(1, 16), env: "POOL" },
});
const strict = defineOptions({ key: { help: "Key file", parse: text, required: true } });

function read(argv: readonly string[], env: Record<string, string> = {}, context: ReadContext = {}) {
  return readOptions(options, argv, env, context);
}

function hosts(argv: readonly string[], env: Record<string, string> = {}): string[] {
  return read(argv, env).values.server.map(({ host }) => host);
}

function readFile(path: string): string {
  if (path === "/run/token") return "s3cret\n";
  throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: "ENOENT" });
}

function usage(text: RegExp, hint = /./): (thrown: PortholeError) => boolean {
  return (thrown) => {
    assert.equal(thrown.code, "usage");
    assert.match(thrown.message, text);
    assert.match(thrown.hint ?? "", hint);
    return true;
  };
}

describe("readOptions", () => {
  it("refuses empty text in flags and in the file, and takes an empty variable for none", () => {
    for (const argv of [["--domain-suffix", ""], ["--domain-suffix="]])
      assert.throws(() => read(argv), usage(/^--domain-suffix needs a value/, /^Leave it out/));
    assert.throws(() => read(["--domain-suffix", "  "]), usage(/^--domain-suffix is empty$/, /^Leave it out/));
    const configFile = { settings: options, find: () => "relay.toml" };
    const empty = (): string => 'domain-suffix = ""\n';
    assert.throws(
      () => read([], {}, { configFile, readFile: empty }),
      usage(/^relay\.toml: domain-suffix is empty$/, /^Leave it out/),
    );
    assert.equal(read([], { PORTHOLE_DOMAIN_SUFFIX: "" }).values["domain-suffix"], undefined);
  });

  it("gives typed values and defaults", () => {
    const { values, positionals, sources } = read([]);
    // What the compiler must think of each:
    const servers: readonly HostPort[] = values.server;
    const apiPort: number = values["api-port"];
    const transport: "auto" | "quic" | "h2" = values.transport;
    const switches: boolean = values.open && values.qr;
    const token: Secret | undefined = values.token;
    const absent: string | undefined = values["domain-suffix"];
    // @ts-expect-error it may be missing
    const suffix: string = values["domain-suffix"];
    const key: string = readOptions(strict, ["--key", "k"], {}).values.key;
    assert.deepEqual(
      { servers, apiPort, transport, switches, token, absent, suffix, key },
      {
        servers: [],
        apiPort: 4433,
        transport: "auto",
        switches: false,
        token: undefined,
        absent: undefined,
        suffix: undefined,
        key: "k",
      },
    );
    assert.deepEqual(positionals, []);
    assert.deepEqual(
      [...sources],
      [
        ["api-port", "default"],
        ["transport", "default"],
        ["qr", "default"],
      ],
    );
  });

  it("takes a flag before its variable, and the variable before the default", () => {
    const env = { PORTHOLE_API_PORT: "1", PORTHOLE_OPEN: "true", POOL: "3", PORTHOLE_POOL_SIZE: "x" };
    assert.equal(read([], env).values["api-port"], 1);
    assert.equal(read(["--api-port", "2"], env).values["api-port"], 2);
    assert.equal(read([], env).values["pool-size"], 3);
    assert.equal(read([], env).values.open, true);
    assert.equal(read(["--no-open"], env).values.open, false);
    assert.equal(read(["--open"]).values.open, true);
    assert.equal(read(["--open=false"]).values.open, false);
    assert.equal(read(["--no-qr"]).values.qr, false);
    assert.deepEqual([...read(["--open"], env).sources.entries()].slice(0, 2), [
      ["api-port", "env"],
      ["transport", "default"],
    ]);
  });

  it("treats an empty variable as none", () => {
    assert.equal(read([], { PORTHOLE_API_PORT: "" }).values["api-port"], 4433);
  });

  it("collects repeatable flags, and lists in variables", () => {
    assert.deepEqual(hosts(["--server", "a", "--open", "--server=b:1"]), ["a", "b"]);
    assert.deepEqual(hosts([], { PORTHOLE_SERVER: "a, b:1," }), ["a", "b"]);
    assert.deepEqual(hosts(["--server", "c"], { PORTHOLE_SERVER: "a,b" }), ["c"]);
  });

  it("takes positional arguments where they are allowed", () => {
    assert.deepEqual(read(["3000", "--open"], {}, { maxPositionals: 1 }).positionals, ["3000"]);
    assert.deepEqual(read(["--open", "--", "--api-port"], {}, { maxPositionals: 1 }).positionals, ["--api-port"]);
    assert.throws(() => read(["3000"]), usage(/Unexpected argument "3000"/));
    assert.throws(() => read(["a", "b"], {}, { maxPositionals: 1 }), usage(/"b"/));
  });

  it("names the flag, or the variable, and the bad value", () => {
    assert.throws(() => read(["--api-port", "http"]), usage(/^--api-port: expected .* 65535, got "http"$/));
    assert.throws(() => read([], { PORTHOLE_API_PORT: "70000" }), usage(/^PORTHOLE_API_PORT: .*"70000"$/));
    assert.throws(() => read(["--transport=tcp"]), usage(/auto or quic or h2, got "tcp"/));
    assert.throws(() => read(["--open=maybe"]), usage(/--open: expected true or false/));
    assert.throws(() => read(["--server", "a", "--server", "b:x"]), usage(/--server: .*"b:x"/));
  });

  it("suggests the flag that was probably meant", () => {
    assert.throws(() => read(["--api-prot", "1"]), usage(/Unknown flag --api-prot/, /--api-port\?/));
    assert.throws(() => read(["--serv", "a"]), usage(/--serv/, /--server\?/));
    assert.throws(() => read(["--apiport=1"]), usage(/--apiport/, /--api-port\?/));
    assert.throws(() => read(["--hlep"]), usage(/--hlep/, /--help/));
    assert.throws(() => read(["--something-else"]), usage(/--something-else/, /--help all lists/));
    assert.throws(() => read(["-x"]), usage(/Unknown flag -x/));
    assert.throws(() => read(["--no-server"]), usage(/--no-server/));
    assert.throws(() => read(["--__proto__=1"]), usage(/__proto__/));
    assert.throws(() => read(["--constructor"]), usage(/constructor/));
  });

  it("refuses flags without their value, and values of flags that have none", () => {
    for (const argv of [["--api-port"], ["--api-port", "--open"], ["--api-port="], ["--api-port", ""]])
      assert.throws(() => read(argv), { code: "usage", message: "--api-port needs a value: --api-port PORT" });
    assert.equal(read(["--domain-suffix=-x"]).values["domain-suffix"], "-x");
    assert.throws(() => read(["--no-open=1"]), { code: "usage", message: /takes no value/ });
  });

  it("refuses a flag that is given twice with two meanings", () => {
    assert.throws(() => read(["--api-port", "1", "--api-port", "2"]), usage(/--api-port is given twice/));
    assert.throws(() => read(["--open", "--no-open"]), usage(/--no-open is given twice/));
  });

  it("asks for what is required", () => {
    assert.throws(() => readOptions(strict, [], {}), usage(/--key is required: Key file/, /PORTHOLE_KEY/));
    assert.equal(readOptions(strict, [], { PORTHOLE_KEY: "k" }).values.key, "k");
  });

  it("reads secrets from files and variables, never from the command line", () => {
    const reveal = (argv: readonly string[], env = {}) => read(argv, env, { readFile }).values.token?.reveal();
    assert.equal(reveal(["--token-file", "/run/token"]), "s3cret");
    assert.equal(reveal([], { PORTHOLE_TOKEN_FILE: "/run/token" }), "s3cret");
    assert.equal(reveal([], { PORTHOLE_TOKEN: "fr0m env" }), "fr0m env");
    assert.ok(!inspect(read([], { PORTHOLE_TOKEN: "s3cret" })).includes("s3cret"));
    assert.throws(() => read(["--token", "s3cret"]), usage(/^--token would show a secret/, /--token-file/));
    assert.throws(
      () => reveal(["--token-file", "/nowhere"]),
      usage(/^--token-file: Can't read \/nowhere: it does not exist$/),
    );
    assert.throws(
      () => read([], { PORTHOLE_HMAC: "s3cret" }),
      (thrown: PortholeError) => usage(/PORTHOLE_HMAC/, /^/)(thrown) && !inspect(thrown).includes("s3cret"),
    );
  });
});

describe("asksFor", () => {
  it("sees help and version wherever they are", () => {
    assert.ok(asksFor(["--api-port", "x", "--help"], "help"));
    assert.ok(asksFor(["-h"], "help"));
    assert.ok(asksFor(["--version"], "version"));
    assert.ok(!asksFor(["--", "--help"], "help"));
    assert.ok(!asksFor(["-h"], "version"));
  });
});

describe("defineOptions", () => {
  it("refuses tables that can't work", () => {
    for (const name of ["API", "a_b", "no-x", "help", "a-"])
      assert.throws(() => defineOptions({ [name]: { help: "", parse: text } }), name);
    assert.throws(() =>
      defineOptions({ a: { help: "", parse: text, secret: true }, "a-file": { help: "", parse: text } }),
    );
    assert.throws(() => defineOptions({ port: { help: "", parse: port, default: "http" } }));
  });
});
