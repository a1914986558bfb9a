import { t } from "../text.ts";
import { visible } from "./dom.ts";
import { CallError, type Host } from "./host.ts";

/** The page, for each part of the detail. */
export interface DetailContext {
  readonly host: Host;
  readonly tunnel: string;
  /** Another row, a replay mostly, is the one to look at now. */
  readonly show: (id: string) => void;
  /** For ears as for eyes. */
  readonly say: (text: string) => void;
}

/** Why something did not work, for people. */
export function messageOf(reason: unknown): string {
  return reason instanceof CallError ? visible(reason.message) : t("Something went wrong: {0}", String(reason));
}
