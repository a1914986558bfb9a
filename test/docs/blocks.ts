import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** The pages that people type from; docs/reference and docs/decisions have no commands. */
export const pages: readonly string[] = [
  "README.md",
  ...["client", "relay", "extension", "common", "tunnel"].map((folder) => `${folder}/README.md`),
  ...["docs", "docs/guides"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `${folder}/${name}`),
  ),
];

export interface Block {
  readonly page: string;
  readonly line: number;
  /** The word after the fence: `sh` for commands. */
  readonly language: string;
  readonly text: string;
}

/** Every fenced block of a page. */
export function blocksOf(page: string): readonly Block[] {
  const lines = readFileSync(join(root, page), "utf8").split("\n");
  const blocks: Block[] = [];
  let open: { line: number; language: string; indent: string; text: string[] } | undefined;
  lines.forEach((each, index) => {
    const [, indent = "", language = ""] = /^(\s*)```(\S*)/.exec(each) ?? [];
    const isFence = /^\s*```/.test(each);
    if (open && isFence) {
      blocks.push({ page, line: open.line, language: open.language, text: open.text.join("\n") });
      open = undefined;
    } else if (open) open.text.push(each.slice(open.indent.length));
    else if (isFence) open = { line: index + 1, language, indent, text: [] };
  });
  return blocks;
}

/** The commands of a block, each in one line and without its comment. */
export function commandsOf({ text }: Block): readonly string[] {
  return text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.replace(/(^|\s+)#\s.*$/, "").trim())
    .filter((line) => line !== "");
}
