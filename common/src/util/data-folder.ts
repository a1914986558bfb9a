import { homedir, userInfo } from "node:os";
import { isAbsolute, join } from "node:path";
import { PortholeError, setting } from "../errors.ts";

/** Returns where a program keeps its files: the platform's place for application data. Throws `usage` when the user has no home folder. */
export function dataFolder(program: string, env: NodeJS.ProcessEnv = process.env): string {
  switch (process.platform) {
    case "win32":
      return join(absolute(env.LOCALAPPDATA) ?? join(homeFolder(), "AppData", "Local"), program);
    case "darwin":
      return join(homeFolder(), "Library", "Application Support", program);
    default:
      return join(absolute(env.XDG_DATA_HOME) ?? join(homeFolder(), ".local", "share"), program);
  }
}

/** Returns where a program keeps what it can make again: the platform's place for caches. Throws `usage` when the user has no home folder. */
export function cacheFolder(program: string, env: NodeJS.ProcessEnv = process.env): string {
  switch (process.platform) {
    case "win32":
      return join(dataFolder(program, env), "Cache");
    case "darwin":
      return join(homeFolder(), "Library", "Caches", program);
    default:
      return join(absolute(env.XDG_CACHE_HOME) ?? join(homeFolder(), ".cache"), program);
  }
}

/**
 * Returns the user's home folder: `HOME` where it is an absolute path, or the one of the user database. Node takes an empty `HOME` for the current
 * folder. Throws `usage` when there is neither.
 */
export function homeFolder(): string {
  const home = absolute(homedir()) ?? absolute(homeOfUserDatabase());
  if (home !== undefined) return home;
  throw new PortholeError("usage", "HOME is not set to an absolute path, and this user has no home folder", {
    hint: `Set HOME, or choose the folder for files yourself with ${setting("state-dir")}.`,
  });
}

/** The XDG Base Directory Specification ignores relative paths, and takes an empty one as not set. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

function homeOfUserDatabase(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    // A container may run with a user ID that has no entry.
    return undefined;
  }
}
