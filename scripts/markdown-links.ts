import { posix } from "node:path";

/** Markdown files by path, and every other path that a link may lead to. */
export interface Pages {
  readonly pages: ReadonlyMap<string, string>;
  readonly exists: (path: string) => boolean;
}

/** Returns a line for each link within the repository that leads to no file or no heading, and for each page of docs/ that none leads to. */
export function linkProblems({ pages, exists }: Pages): string[] {
  return [...brokenLinks({ pages, exists }), ...unlinkedPages(pages)];
}

function unlinkedPages(pages: Pages["pages"]): string[] {
  const linked = new Set(
    [...pages].flatMap(([path, content]) =>
      links(content)
        .map(({ target }) => fileOf(path, target))
        .filter((file) => file !== path),
    ),
  );
  return [...pages.keys()]
    .filter((path) => path.startsWith("docs/") && path !== "docs/README.md" && !linked.has(path))
    .map((path) => `${path}: no page links to it; docs/README.md should`);
}

function brokenLinks({ pages, exists }: Pages): string[] {
  const anchors = new Map([...pages].map(([path, content]) => [path, headingAnchors(content)]));
  return [...pages].flatMap(([path, content]) =>
    links(content).flatMap(({ line, target }) => {
      const to = fileOf(path, target);
      const [, anchor] = target.split("#");
      if (to.startsWith("../") || !exists(to.replace(/\/$/, "")))
        return [`${path}:${line} links to ${target}, which is not there`];
      if (anchor === undefined || !anchors.has(to) || anchors.get(to)?.has(anchor)) return [];
      return [`${path}:${line} links to ${target}, but ${to} has no such heading`];
    }),
  );
}

function fileOf(page: string, target: string): string {
  const [file = ""] = target.split("#");
  return file === "" ? page : posix.normalize(posix.join(posix.dirname(page), decodeURI(file)));
}

function links(content: string): { line: number; target: string }[] {
  return withoutCode(content)
    .split("\n")
    .flatMap((text, index) =>
      [...text.matchAll(/(?:\]\(|^\[[^\]]+\]: )<?([^)\s>]+)/g)]
        .map(([, target = ""]) => ({ line: index + 1, target }))
        .filter(({ target }) => !/^([a-z][a-z+.-]*:|\/\/)/i.test(target)),
    );
}

/** The anchors that GitHub gives to headings: the second one of a name ends in -1. */
function headingAnchors(content: string): ReadonlySet<string> {
  const counts = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutFences(content).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "")
      .replaceAll(" ", "-");
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

/** Code has no links. Lines stay where they are. */
function withoutCode(content: string): string {
  return withoutFences(content).replaceAll(/`[^`\n]*`/g, "");
}

function withoutFences(content: string): string {
  return content.replaceAll(/^( *)```[\s\S]*?^\1```/gm, (block) => block.replaceAll(/[^\n]/g, ""));
}
