import assert from "node:assert/strict";
import type { PortholeError } from "../errors.ts";
import { defineOptions } from "./options.ts";
import { flag, path, port, text } from "./parsers.ts";
import { readOptions } from "./read-options.ts";

const options = defineOptions({
  config: { help: "Configuration file", parse: path },
  "pub-port": { help: "Port", parse: port, default: "8443" },
  suffix: { help: "Suffix", parse: text, repeatable: true },
  open: { help: "Lets anyone in", parse: flag },
  keys: { help: "Keys", parse: path },
  hmac: { help: "Secret", parse: text, secret: true },
});

const configFile = { settings: options, find: (given: (name: string) => string | undefined) => given("config") };

function read(toml: string, argv: readonly string[] = [], env: Record<string, string> = {}) {
  const readFile = (name: string): string => {
    if (name === "/etc/relay.toml") return toml;
    if (name === "/etc/secrets/hmac") return "s3cret\n";
    throw new Error(`no such file, open '${name}'`);
  };
  return readOptions(options, ["--config", "/etc/relay.toml", ...argv], env, { configFile, readFile });
}

describe("configuration file", () => {
  it("has the flags' names as keys, and paths from where it is", () => {
    const { values, sources } = read(
      '# ours\npub-port = 443\nsuffix = ["a.example", "b.example"]\nopen = true\nkeys = "keys.txt"\nhmac-file = "secrets/hmac"\n',
    );
    assert.equal(values["pub-port"], 443);
    assert.deepEqual(values.suffix, ["a.example", "b.example"]);
    assert.equal(values.open, true);
    assert.equal(values.keys, "/etc/keys.txt");
    assert.equal(values.hmac?.reveal(), "s3cret");
    assert.equal(sources.get("pub-port"), "file");
  });

  it("gives way to environment variables and flags", () => {
    const toml = 'pub-port = 443\nsuffix = "file.example"\nopen = true\n';
    const { values, sources } = read(toml, ["--no-open"], { PORTHOLE_PUB_PORT: "444" });
    assert.equal(values["pub-port"], 444);
    assert.equal(values.open, false);
    assert.deepEqual(values.suffix, ["file.example"]);
    assert.deepEqual([sources.get("pub-port"), sources.get("open")], ["env", "flag"]);
  });

  it("is named by its environment variable, too", () => {
    const { values } = readOptions(
      options,
      [],
      { PORTHOLE_CONFIG: "/x.toml" },
      { configFile, readFile: () => "pub-port = 1" },
    );
    assert.equal(values["pub-port"], 1);
  });

  for (const [what, toml, message, hint] of [
    ["a misspelt key", "pub-prt = 443", /relay\.toml: there is no setting "pub-prt"/, /Did you mean pub-port\?/],
    ["a secret itself", 'hmac = "s3cret"', /^\/etc\/relay\.toml: there is no setting "hmac"$/, /hmac-file/],
    ["a bad value", "pub-port = 99999", /relay\.toml: pub-port: expected a whole number/, /./],
    ["a list for one value", "pub-port = [1, 2]", /relay\.toml: pub-port takes one value/, undefined],
    ["a table", "[pub-port]\na = 1", /pub-port must be a text, a number/, undefined],
    ["no TOML", "pub-port: 443", /relay\.toml is not valid TOML/, /pub-port = 443/],
  ] as const) {
    it(`is refused with ${what}`, () => {
      assert.throws(
        () => read(toml),
        (error: PortholeError) => {
          assert.equal(error.code, "usage");
          assert.match(error.message, message);
          if (hint) assert.match(error.hint ?? "", hint);
          return true;
        },
      );
    });
  }

  it("may have settings that only other commands know", () => {
    const few = defineOptions({
      config: options.config,
      open: options.open,
      suffix: { help: "Another suffix", parse: text, notInFile: true },
    });
    const { values } = readOptions(
      few,
      ["--config", "/x.toml"],
      {},
      { configFile, readFile: () => 'pub-port = 1\nopen = true\nsuffix = "x"' },
    );
    assert.deepEqual(values, { config: "/x.toml", open: true, suffix: undefined });
  });

  it("is refused when it isn't there", () => {
    assert.throws(() => readOptions(options, ["--config", "/nowhere/x.toml"], {}, { configFile }), {
      code: "state",
      message: "Can't read /nowhere/x.toml: it does not exist",
    });
  });
});
