import type { Controller } from "../controller/index.ts";
import type { CommandId } from "../manifest/index.ts";

/** The context of every part of the user interface, which shows the controller's state and calls its methods. */
export interface UiContext {
  readonly controller: Controller;
  /** Runs a command by its name, so that the parts don't import one another. */
  readonly run: (command: CommandId, ...args: unknown[]) => Promise<unknown>;
}

/** Options of joining a relay. */
export interface JoinOptions {
  /** It is part of exposing a port, which continues afterwards. */
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
