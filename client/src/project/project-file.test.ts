import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientSettings, tunnelSettings } from "@porthole/tunnel/settings";
import { clientOptions, runOptions } from "../options.ts";
import { findProjectFile, readProject } from "./project-file.ts";
import { lineOf } from "./toml-line.ts";

describe("porthole.toml", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "porthole-project-")));
    path = join(folder, "porthole.toml");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function read(text: string) {
    await writeFile(path, text);
    return readProject(path);
  }

  it("has every option of the command line but those of a run", () => {
    const flags = Object.entries(clientOptions).map(([name, spec]) => ("secret" in spec ? `${name}-file` : name));
    const ofARun = Object.keys(runOptions);
    assert.deepEqual(
      [...Object.keys(clientSettings), ...Object.keys(tunnelSettings)].toSorted(),
      flags.filter((flag) => !ofARun.includes(flag)).toSorted(),
    );
  });

  it("describes tunnels, with defaults for all of them", async () => {
    await writeFile(join(folder, "passwords"), "ada:secret\n");
    const { tunnels } = await read(`
      project = "shop"
      server = ["one.example", "two.example:5000"]
      headers = "localhost"

      [tunnels.web]
      local = 3000
      route = "/api=4000"
      access-basic-file = "passwords"
      access-for = "2h"

      [tunnels.hook]
      local = "tcp://127.0.0.1:6379"
      headers = "transparent"
      inspect = false
    `);
    assert.deepEqual(
      tunnels.map(({ shortName, target }) => [shortName, target.name, target.service.text]),
      [
        ["web", "shop.web", "3000"],
        ["hook", "shop.hook", "tcp://127.0.0.1:6379"],
      ],
    );
    const [web, hook] = tunnels.map(({ values }) => values);
    assert.deepEqual(web?.server, [
      { host: "one.example", port: 4433 },
      { host: "two.example", port: 5000 },
    ]);
    assert.deepEqual(
      [web?.headers, hook?.headers, web?.inspect, hook?.inspect],
      ["localhost", "transparent", true, false],
    );
    assert.deepEqual(
      web?.route.map(({ path: from, service }) => [from, service.text]),
      [["/api", "4000"]],
    );
    assert.equal(web?.["access-basic"]?.reveal(), "ada:secret");
    assert.equal(web?.["access-for"], 7_200_000);
  });

  it("is found in the folder, in the nearest above it, and in the state folder", async () => {
    const below = join(folder, "a", "b");
    await mkdir(below, { recursive: true });
    await mkdir(join(folder, "state"));
    await writeFile(path, "");
    assert.equal(findProjectFile(undefined, below), path);
    assert.equal(findProjectFile("x.toml", below), join(below, "x.toml"));
    await rm(path);
    assert.throws(() => findProjectFile(undefined, below, join(folder, "state")), {
      code: "usage",
      hint: /porthole init/,
    });
    await writeFile(join(folder, "state", "porthole.toml"), "");
    assert.equal(findProjectFile(undefined, below, join(folder, "state")), join(folder, "state", "porthole.toml"));
  });

  const wrong: readonly (readonly [what: string, text: string, line: number, message: RegExp, hint: RegExp])[] = [
    ["no TOML", "[tunnels.web]\nlocal = \n", 2, /:2: Invalid TOML document/, /Each line is a setting/],
    [
      "a misspelt setting",
      "[tunnels.web]\nlocal = 3000\nheadres = 'auto'\n",
      3,
      /tunnels\.web\.headres is not a setting/,
      /Did you mean headers\?/,
    ],
    ["a list of tunnels", "[[tunnels]]\nlocal = 3000\n", 1, /tunnels should be a table, and is a list/, /--help/],
    ["a list for a tunnel", "[tunnels]\nweb = [3000]\n", 2, /tunnels\.web should be a table, and is a list/, /--help/],
    ...["constructor", "prototype", "__proto__"].map(
      (name) =>
        [
          `the name ${name}`,
          `[tunnels.${name}]\nlocal = 3000\n`,
          1,
          new RegExp(`tunnels\\.${name} can't be the name of a tunnel`),
          /--help/,
        ] as const,
    ),
    ...(
      [
        ["1979-05-27T07:32:00Z", "a date or time"],
        ["1979-05-27", "a date or time"],
        ["07:32:00", "a date or time"],
        ["inf", "Infinity"],
        ["nan", "NaN"],
        ["{ a = 1 }", "a table"],
        ["[1, 2]", "a list"],
        ["true", "true"],
        ["''", "empty"],
      ] as const
    ).map(
      ([value, kind]) =>
        [
          `${value} for a word`,
          `[tunnels.web]\nlocal = 3000\nmode = ${value}\n`,
          3,
          new RegExp(`mode should be "auto" or "http" or "tcp", and is ${kind}$`),
          /--help all/,
        ] as const,
    ),
    ...["acme", "inspect"].map(
      (name) =>
        [
          `the flag --no-${name}`,
          `[tunnels.web]\nlocal = 3000\nno-${name} = true\n`,
          3,
          new RegExp(`no-${name} is not a setting`),
          new RegExp(`^Write ${name} = false\\.$`),
        ] as const,
    ),
    ["a misspelt heading", "\n[tunnel.web]\nlocal = 3000\n", 2, /tunnel is not a setting/, /Did you mean tunnels\?/],
    [
      "a setting of another kind",
      "[tunnels.web]\nlocal = 3000\ninspect = 'yes'\n",
      3,
      /inspect should be true or false, and is "yes"/,
      /--help all/,
    ],
    [
      "a word that is none of them",
      "mode = 'udp'\n[tunnels.web]\nlocal = 3000\n",
      1,
      /mode should be "auto" or "http" or "tcp", and is "udp"/,
      /--help all/,
    ],
    ["a port that is none", "[tunnels.web]\n\nlocal = 99999\n", 3, /local should be at most 65535, and is 99999/, /./],
    [
      "a service that is none",
      "[tunnels.web]\nname = 'app'\nlocal = 'ftp://x'\n",
      3,
      /tunnels\.web\.local: "ftp:\/\/x" is not a local service/,
      /Write a port/,
    ],
    [
      "a list with a bad text",
      "[tunnels.web]\nlocal = 1\nroute = [\n  '/a=1',\n  'b',\n]\n",
      3,
      /tunnels\.web\.route: /,
      /./,
    ],
    ["a name that is no file's", "[tunnels.Web]\nlocal = 1\n", 1, /tunnels\.Web should be small letters/, /./],
    [
      "no local service",
      "project = 'x'\n[tunnels.web]\nname = 'app'\n",
      2,
      /tunnels\.web has no local service/,
      /local = 3000/,
    ],
    [
      "a password that is not a file",
      "[tunnels.web]\nlocal = 1\naccess-basic-file = 'nowhere'\n",
      3,
      /access-basic-file: Can't read/,
      /./,
    ],
    [
      "a time that is none",
      "[tunnels.web]\nlocal = 1\naccess-for = '2 hours'\n",
      3,
      /access-for should be a time like/,
      /./,
    ],
  ];
  for (const [what, text, line, message, hint] of wrong)
    it(`is refused with its line and what to do: ${what}`, async () => {
      const thrown = await read(text).then(
        () => assert.fail("nothing was wrong"),
        (reason: unknown) => reason as { code: string; message: string; hint?: string },
      );
      assert.equal(thrown.code, "usage", thrown.message);
      assert.ok(thrown.message.startsWith(`${path}:${line}: `), thrown.message);
      assert.match(thrown.message, message);
      assert.match(thrown.hint ?? "", hint);
    });

  it("is refused when it describes no tunnel, or is huge", async () => {
    await assert.rejects(read("mode = 'http'"), { code: "usage", message: /describes no tunnel/ });
    await assert.rejects(read("#".repeat(70_000)), { code: "usage", message: /longer than 64 KiB/ });
    assert.throws(() => readProject(join(folder, "none.toml")), { code: "state" });
  });

  it("has its keys where they begin, however they are written", () => {
    const text = "a.b = 1\n\nc = { d = 2 }\n[e]\n# x\nf = [\n 1,\n]\n[e.g]\n";
    const places = [["a", "b"], ["c", "d"], ["e"], ["e", "f"], ["e", "g"], ["e", "nothing"], ["nothing"]];
    assert.deepEqual(
      places.map((path) => lineOf(text, path)),
      [1, 3, 4, 6, 9, 4, 1],
    );
  });
});
