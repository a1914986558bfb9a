import { readdir, readFile } from "node:fs/promises";

/** Languages that every text is translated to, as the editor names them. */
const languages = ["de", "zh-cn"];

type Texts = Readonly<Record<string, string>>;

/** The manifest's texts: each key that it uses is there in every language, and no other is. */
export async function manifestTextProblems(root: URL): Promise<string[]> {
  const manifest = await readFile(new URL("package.json", root), "utf8");
  const used = new Set([...manifest.matchAll(/"%([\w.-]+)%"/g)].map((match) => match[1] as string));
  const files = ["package.nls.json", ...languages.map((language) => `package.nls.${language}.json`)];
  const problems = await Promise.all(files.map(async (file) => differences(file, await readTexts(root, file), used)));
  return problems.flat();
}

/** The texts of `t("…")` in the sources of the extension and its page: each is translated, and no other is. */
export async function sourceTextProblems(root: URL): Promise<string[]> {
  const used = new Set<string>();
  for (const folder of ["extension/src/", "tunnel/src/requests/"].map((path) => new URL(path, root)))
    for (const name of await readdir(folder, { recursive: true })) {
      if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
      const source = await readFile(new URL(name.replaceAll("\\", "/"), folder), "utf8");
      for (const [, text] of source.matchAll(/(?<![\w.])t\(\s*("(?:[^"\\]|\\.)*")/g))
        used.add(JSON.parse(text as string) as string);
    }
  const problems = await Promise.all(
    languages.map(async (language) => {
      const file = `l10n/bundle.l10n.${language}.json`;
      const texts = await readTexts(root, file);
      const places = Object.entries(texts).flatMap(([text, translated]) =>
        placesIn(text) === placesIn(translated) ? [] : [`${file}: other places to fill in: ${JSON.stringify(text)}`],
      );
      return [...differences(file, texts, used), ...places];
    }),
  );
  return problems.flat();
}

function differences(file: string, texts: Texts, used: ReadonlySet<string>): string[] {
  const missing = [...used].filter((key) => !Object.hasOwn(texts, key));
  const idle = Object.keys(texts).filter((key) => !used.has(key));
  return [
    ...missing.map((key) => `${file}: missing: ${JSON.stringify(key)}`),
    ...idle.map((key) => `${file}: used nowhere: ${JSON.stringify(key)}`),
  ];
}

function placesIn(text: string): string {
  return [...text.matchAll(/\{\d+\}/g)].map(String).toSorted().join(" ");
}

async function readTexts(root: URL, file: string): Promise<Texts> {
  return JSON.parse(await readFile(new URL(file, root), "utf8").catch(() => "{}")) as Texts;
}
