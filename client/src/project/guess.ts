import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** A development server that a folder seems to have. */
export interface Guess {
  readonly name: string;
  readonly port: number;
  /** Why: "vite in package.json". */
  readonly reason: string;
}

/** The default port of each package's development server; the first that is there counts. */
const packagePorts: readonly (readonly [name: string, port: number])[] = [
  ["next", 3000],
  ["nuxt", 3000],
  ["astro", 4321],
  ["@angular/cli", 4200],
  ["@angular/core", 4200],
  ["react-scripts", 3000],
  ["@vue/cli-service", 8080],
  ["gatsby", 8000],
  ["@docusaurus/core", 3000],
  ["@11ty/eleventy", 8080],
  ["@remix-run/dev", 3000],
  ["@react-router/dev", 5173],
  ["@sveltejs/kit", 5173],
  ["ember-cli", 4200],
  ["vitepress", 5173],
  ["storybook", 6006],
  ["vite", 5173],
  ["parcel", 1234],
  ["webpack-dev-server", 8080],
  ["@nestjs/core", 3000],
  ["express", 3000],
  ["fastify", 3000],
  ["koa", 3000],
  ["hono", 3000],
];

/** Files by which other development servers show, with a text that must be in them where the name is not enough. */
const files: readonly (readonly [file: string, text: RegExp | undefined, what: string, port: number])[] = [
  ["manage.py", /django/i, "Django", 8000],
  ["artisan", undefined, "Laravel", 8000],
  ["config/application.rb", /rails/i, "Rails", 3000],
  ["config.ru", undefined, "Rack", 9292],
  ["mix.exs", /phoenix/, "Phoenix", 4000],
  ["hugo.toml", undefined, "Hugo", 1313],
  ["_config.yml", undefined, "Jekyll", 4000],
  ["mkdocs.yml", undefined, "MkDocs", 8000],
  ["symfony.lock", undefined, "Symfony", 8000],
  ["pom.xml", /spring-boot/, "Spring Boot", 8080],
  ["build.gradle", /spring|boot/, "Spring Boot", 8080],
  ["build.gradle.kts", /spring|boot/, "Spring Boot", 8080],
  ["requirements.txt", /^streamlit/im, "Streamlit", 8501],
  ["requirements.txt", /^(fastapi|uvicorn)/im, "FastAPI", 8000],
  ["requirements.txt", /^flask/im, "Flask", 5000],
  ["pyproject.toml", /streamlit/i, "Streamlit", 8501],
  ["pyproject.toml", /fastapi|uvicorn/i, "FastAPI", 8000],
  ["pyproject.toml", /flask/i, "Flask", 5000],
  ["go.mod", undefined, "a Go program", 8080],
];

const maxFolders = 50;
const maxTunnels = 10;

/** Looks at a folder and those directly in it. The folder's own server is called `web`, the others after their folders. */
export function guessServers(folder: string): readonly Guess[] {
  const own = serverIn(folder);
  const below = foldersIn(folder).flatMap((name) => {
    const found = serverIn(join(folder, name));
    return found ? [{ ...found, name: nameOf(name), reason: `${found.reason} of ${name}` }] : [];
  });
  const all = [...(own ? [{ name: "web", ...own }] : []), ...below];
  // Two can't listen on one port: the second one is told another, which we don't know.
  return all.filter(({ port }, index) => all.findIndex((each) => each.port === port) === index).slice(0, maxTunnels);
}

type Server = Omit<Guess, "name">;

function serverIn(folder: string): Server | undefined {
  const [file, , what, port] = files.find(([name, text]) => {
    const content = textOf(join(folder, name));
    return content !== undefined && (text?.test(content) ?? true);
  }) ?? [undefined, undefined, "", 0];
  const node = nodeServer(textOf(join(folder, "package.json")));
  // Rails and Django have a package.json for their assets, too.
  if (file !== undefined && node?.isBare !== false) return { port, reason: `${what}, by ${file}` };
  return node && { port: node.port, reason: node.reason };
}

function nodeServer(manifest: string | undefined): (Server & { readonly isBare: boolean }) | undefined {
  const data = jsonOf(manifest);
  if (!data) return undefined;
  const scripts = data.scripts ?? {};
  const [scriptName = "", script = ""] =
    Object.entries(scripts).find(([name]) => ["dev", "start", "serve", "develop"].includes(name)) ?? [];
  const packages = { ...data.dependencies, ...data.devDependencies };
  const known = packagePorts.find(([name]) => Object.hasOwn(packages, name));
  const given = /(?:--port[= ]|(?:^|\s)-p[= ]?|\bPORT=)(\d{2,5})\b/.exec(String(script))?.[1];
  if (given !== undefined && Number(given) <= 65_535)
    return { port: Number(given), reason: `the script ${scriptName} in package.json`, isBare: false };
  return known && { port: known[1], reason: `${known[0]} in package.json`, isBare: known[0] === "vite" };
}

interface Manifest {
  readonly scripts?: Readonly<Record<string, unknown>>;
  readonly dependencies?: object;
  readonly devDependencies?: object;
}

function jsonOf(text: string | undefined): Manifest | undefined {
  if (text === undefined) return undefined;
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === "object" && data !== null ? data : undefined;
  } catch {
    return undefined;
  }
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !/^[._]|^(node_modules|dist|build|vendor|target)$/.test(entry.name))
      .map(({ name }) => name)
      .sort()
      .slice(0, maxFolders);
  } catch {
    return [];
  }
}

function textOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, "utf8").slice(0, 200_000);
  } catch {
    return undefined;
  }
}

/** A folder's name as a tunnel's. */
export function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/^[^a-z0-9]+/g, "")
    .slice(0, 40);
  return name === "" ? "web" : name;
}
