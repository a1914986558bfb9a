import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { defineConfig } from "vitepress";

const repository = "https://github.com/porthole/porthole";

export default defineConfig({
  title: "Porthole",
  description: "Expose a local port through a relay that you can host and that cannot read your traffic.",
  // The pages are the same that one reads in the repository, where README.md is a folder's page.
  rewrites: { "README.md": "index.md", ":folder/README.md": ":folder/index.md" },
  srcExclude: ["node_modules"],
  cacheDir: "../.cache/vitepress",
  outDir: "../dist/docs",
  cleanUrls: true,
  lastUpdated: true,
  markdown: { config: (markdown) => markdown.core.ruler.push("links-out", linksOut) },
  themeConfig: {
    search: { provider: "local" },
    sidebar: sidebar(),
    socialLinks: [{ icon: "github", link: repository }],
    editLink: { pattern: `${repository}/edit/main/docs/:path` },
  },
});

/** What is not a page of this site is shown by the repository. */
function linksOut({ tokens, env }) {
  for (const token of tokens.flatMap(({ children }) => children ?? [])) {
    const target = token.type === "link_open" ? token.attrGet("href") : null;
    if (target === null || /^([a-z][a-z+.-]*:|#)/i.test(target)) continue;
    const path = posix.normalize(posix.join("docs", posix.dirname(env.relativePath), target));
    const isPage = path.startsWith("docs/") && /\.md(#|$)/.test(path);
    if (!isPage) token.attrSet("href", `${repository}/blob/main/${path}`);
  }
}

/** The lists of README.md, which has every page. */
function sidebar() {
  const groups = [];
  for (const line of readFileSync(new URL("../README.md", import.meta.url), "utf8").split(/\n(?=#|- )/)) {
    const heading = /^## (.*)/.exec(line)?.[1];
    if (heading !== undefined) groups.push({ text: heading, items: [] });
    for (const [, text, target] of line.startsWith("- ") ? line.matchAll(/\[([^\]]+)\]\((?!\.\.\/)([^)]+)\.md\)/g) : [])
      groups.at(-1)?.items.push({
        text: text[0].toUpperCase() + text.slice(1).replaceAll(/\s+/g, " "),
        link: `/${target.replace(/README$/, "")}`,
      });
  }
  const build = groups.find(({ text }) => text === "Build on it");
  build?.items.push({ text: "API of @porthole/tunnel", link: "/api-pages/" });
  return groups;
}
