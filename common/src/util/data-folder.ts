import { homedir } from "node:os";
import { join } from "node:path";

/** Where a program keeps its files: the platform's place for application data. */
export function dataFolder(program: string, env: NodeJS.ProcessEnv = process.env): string {
  switch (process.platform) {
    case "win32":
      return join(env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), program);
    case "darwin":
      return join(homedir(), "Library", "Application Support", program);
    default:
      return join(env.XDG_DATA_HOME ?? join(homedir(), ".local", "share"), program);
  }
}
