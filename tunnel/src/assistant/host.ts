import type { DaemonConnection } from "../rpc/index.ts";

/** A tunnel as an assistant sees it. Nothing in it is secret. */
export interface AssistantTunnel {
  readonly id: string;
  readonly label?: string;
  /** The local service. */
  readonly local: string;
  /** Empty until a relay has given one. */
  readonly urls: readonly string[];
  /** In words: `online`, `relay unreachable`. */
  readonly state: string;
  /** The access rules, in words. */
  readonly access: string;
}

export interface ExposeRequest {
  readonly port: number;
  /** `public` is everyone with the URL, `share` only visitors with a link that the user makes. */
  readonly access: "public" | "share";
}

/** The program that offers the tools: an editor, or the command line. */
export interface AssistantHost {
  tunnels(): Promise<readonly AssistantTunnel[]>;
  /**
   * Exposes the port and resolves when visitors can come. The host has asked the user, or asks now: nothing is published without
   * a person's yes. `note` says what the assistant may tell the user next. Rejects with `aborted` when the user says no.
   */
  expose(
    request: ExposeRequest,
    signal: AbortSignal,
  ): Promise<{ readonly tunnel: AssistantTunnel; readonly note?: string }>;
  stop(id: string): Promise<void>;
  /** The daemon that runs the tunnels. Undefined when none runs. */
  connection(): Promise<Pick<DaemonConnection, "call" | "on"> | undefined>;
}
