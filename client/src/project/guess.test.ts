import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { guessServers, nameOf } from "./guess.ts";

describe("guesses of development servers", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-guess-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const manifest = (packages: readonly string[], scripts = {}): string =>
    JSON.stringify({ scripts, devDependencies: Object.fromEntries(packages.map((name) => [name, "1"])) });

  const cases: readonly (readonly [what: string, files: Readonly<Record<string, string>>, found: readonly string[]])[] =
    [
      ["nothing", { "readme.md": "" }, []],
      ["Vite", { "package.json": manifest(["vite"]) }, ["web 5173"]],
      ["SvelteKit on Vite", { "package.json": manifest(["vite", "@sveltejs/kit"]) }, ["web 5173"]],
      ["Next.js", { "package.json": manifest(["next", "react"]) }, ["web 3000"]],
      [
        "a port in the script",
        { "package.json": manifest(["vite"], { dev: "vite --port 4444 --host" }) },
        ["web 4444"],
      ],
      [
        "a port in the script's environment",
        { "package.json": manifest([], { start: "PORT=8099 node ." }) },
        ["web 8099"],
      ],
      ["Django", { "manage.py": "import django" }, ["web 8000"]],
      [
        "Rails with Vite for its assets",
        { "config/application.rb": "require 'rails'", "package.json": manifest(["vite"]) },
        ["web 3000"],
      ],
      ["FastAPI", { "pyproject.toml": 'dependencies = ["fastapi"]' }, ["web 8000"]],
      ["Spring Boot", { "pom.xml": "<artifactId>spring-boot-starter</artifactId>" }, ["web 8080"]],
      [
        "folders of a monorepo, each port once",
        {
          "package.json": manifest([]),
          "frontend/package.json": manifest(["vite"]),
          "api/requirements.txt": "flask==3\n",
          "other/requirements.txt": "flask==3\n",
          "node_modules/vite/package.json": manifest(["next"]),
        },
        ["api 5000", "frontend 5173"],
      ],
      ["a package.json that is damaged", { "package.json": "{" }, []],
    ];
  for (const [what, files, found] of cases)
    it(`find ${what}`, async () => {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      assert.deepEqual(
        guessServers(folder).map(({ name, port }) => `${name} ${port}`),
        found,
      );
    });

  it("name tunnels after folders", () => {
    assert.deepEqual(["/x/My Shop", "/x/.hidden", "/x/日本"].map(nameOf), ["my-shop", "hidden", "web"]);
  });
});
