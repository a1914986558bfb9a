import module from "node:module";
import { cacheFolder } from "./data-folder.ts";

/** A program that is killed leaves its compiled code, too. */
const flushAfterMs = 5_000;

/**
 * Keeps compiled code in the user's cache folder: a program starts in two thirds of the time with it. To be called before the program is
 * imported. Does nothing where Node has no such cache (before 22.8), where the environment decides (NODE_COMPILE_CACHE,
 * NODE_DISABLE_COMPILE_CACHE), and where there is no folder of the user's own: code from a folder that others can write to must not run.
 */
export function useCompileCache(): void {
  const { enableCompileCache, flushCompileCache } = module as Partial<CompileCache>;
  const { env } = process;
  if (!enableCompileCache || env["NODE_COMPILE_CACHE"] || env["NODE_DISABLE_COMPILE_CACHE"]) return;
  try {
    const folder = cacheFolder("porthole");
    const { directory } = enableCompileCache(folder);
    // Processes that this one starts use it, too.
    if (directory !== undefined) env["NODE_COMPILE_CACHE"] = folder;
  } catch {
    return;
  }
  setTimeout(() => flushCompileCache?.(), flushAfterMs).unref();
}

/** `@types/node` is that of Node 20, which has no such functions. */
interface CompileCache {
  enableCompileCache(folder: string): { readonly directory?: string };
  flushCompileCache(): void;
}
