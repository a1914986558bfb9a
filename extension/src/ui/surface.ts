import type { Controller } from "../controller/index.ts";
import type { CommandId } from "../manifest/index.ts";

/** What a surface is made of: it paints the controller's state, and what one does on it calls the controller. */
export interface UiContext {
  readonly controller: Controller;
  /** One command by its name, so that surfaces don't know one another. */
  readonly run: (command: CommandId, ...args: unknown[]) => Promise<unknown>;
}

/** How a relay is joined. */
export interface JoinOptions {
  /** In the midst of exposing a port, which goes on then. */
  readonly isForPort: boolean;
}

/** The argument of commands that act on one exposed port: what the tree hands over, too. */
export interface ExposureItem {
  readonly exposureId: string;
}

export function exposureIdOf(argument: unknown): string | undefined {
  const { exposureId } = (argument ?? {}) as Partial<ExposureItem>;
  return typeof exposureId === "string" ? exposureId : undefined;
}
