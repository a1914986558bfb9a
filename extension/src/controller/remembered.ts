import type { PortTarget } from "../ports/index.ts";
import type { Exposure } from "./exposure.ts";

/** State that a window leaves for the next time that its folder is opened. */
export interface Remembered {
  readonly version: 1;
  /** Milliseconds since 1970: when the window was last seen with it. */
  readonly seenAt: number;
  readonly trial: boolean;
  readonly exposures: readonly RememberedExposure[];
}

export interface RememberedExposure {
  readonly id: string;
  readonly target: PortTarget;
  readonly secondary: { readonly local: string } | undefined;
  readonly friendlyName?: string | undefined;
  readonly isOn: boolean;
}

/** A window that comes back within this time was reloaded. */
const reloadWithinMs = 5 * 60_000;

/** `waiting`: ids of ports that continue here as soon as another window lets go of them. They are on, too. */
export function remember(
  exposures: readonly Exposure[],
  { trial, now, waiting }: { readonly trial: boolean; readonly now: number; readonly waiting: ReadonlySet<string> },
): Remembered {
  return {
    version: 1,
    seenAt: now,
    trial,
    exposures: exposures
      .filter(({ isOffered }) => !isOffered)
      .map(({ id, target, secondary, friendlyName, phase }) => ({
        ...{ id, target, secondary, friendlyName },
        isOn: phase === "on" || waiting.has(id),
      })),
  };
}

/** Reads what an earlier version, or somebody else, may have written. Nothing is better than something wrong. */
export function readRemembered(value: unknown): Remembered | undefined {
  const remembered = value as Partial<Remembered> | undefined;
  if (remembered?.version !== 1 || typeof remembered.seenAt !== "number") return undefined;
  if (!Array.isArray(remembered.exposures)) return undefined;
  const isTarget = (target: Partial<PortTarget> | undefined): boolean =>
    typeof target?.host === "string" && typeof target.port === "number";
  const exposures = (remembered.exposures as (Partial<RememberedExposure> | null)[]).filter(
    (each) => typeof each?.id === "string" && isTarget(each.target),
  ) as RememberedExposure[];
  return { version: 1, seenAt: remembered.seenAt, trial: remembered.trial === true, exposures };
}

/** Whether what was on continues by itself: only ever in a trusted workspace. */
export function resumes(
  remembered: Remembered,
  policy: "reload" | "always" | "never",
  { isTrusted, now }: { readonly isTrusted: boolean; readonly now: number },
): boolean {
  if (!isTrusted || policy === "never") return false;
  return policy === "always" || now - remembered.seenAt < reloadWithinMs;
}
