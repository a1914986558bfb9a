import { builtinModules } from "node:module";
import type { Plugin } from "esbuild";

const namespace = "builtin";
const names = new Set(builtinModules.map((name) => name.replace(/^node:/, "")));

/**
 * Loads Node's own modules by `require`. An `import` reads each of their exports at once, and some are getters that load what nobody needs:
 * `node:http` has one for the whole of undici, which is a third of a program's start (`syncExports` in Node's lib/internal/bootstrap/realm.js).
 */
export const builtins: Plugin = {
  name: "builtins",
  setup(build) {
    build.onResolve({ filter: /^(node:)?[a-z_/0-9]+$/ }, ({ path, kind, namespace: from }) => {
      if (kind !== "import-statement" || from === namespace || !names.has(path.replace(/^node:/, ""))) return undefined;
      return { path, namespace };
    });
    build.onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
      loader: "js",
    }));
  },
};
