import type { PortholeError } from "@porthole/common/errors";
import type { Timer } from "@porthole/common/util";
import type { WorkerChild } from "./child.ts";
import type { ControlWire } from "./control-wire.ts";
import type { QuicWorkerFacts } from "./facts.ts";
import type { ServingEngine } from "./wire.ts";

/** Each state owns its process, its timers and its handles. */
export type WorkerState =
  | { readonly is: "idle" }
  | {
      readonly is: "starting";
      readonly child: WorkerChild;
      /** Why the process before it ended. */
      readonly reason: string | undefined;
      /** The reason that the process gave for its end. */
      readonly complaint?: PortholeError;
    }
  | {
      readonly is: "up";
      readonly child: WorkerChild;
      readonly wire: ControlWire;
      readonly engine: ServingEngine;
      readonly stable: Timer;
      readonly complaint?: PortholeError;
    }
  | { readonly is: "down"; readonly reason: string; readonly retry: Timer }
  /** No other start can mend it. `unavailable`: there is no QUIC on this machine. */
  | { readonly is: "unavailable" | "failed"; readonly error: PortholeError }
  | { readonly is: "closing"; readonly child: WorkerChild | undefined; readonly wire: ControlWire | undefined };

/** The state as monitoring sees it. */
export function shownState(state: WorkerState): Pick<QuicWorkerFacts, "state" | "reason"> {
  switch (state.is) {
    case "idle":
      return { state: "starting", reason: undefined };
    case "starting":
      return { state: "starting", reason: state.reason };
    case "up":
      return { state: "up", reason: undefined };
    case "down":
      return { state: "down", reason: state.reason };
    case "unavailable":
      return { state: "unavailable", reason: state.error.message };
    case "failed":
      return { state: "down", reason: state.error.message };
    case "closing":
      return { state: "down", reason: undefined };
  }
}
