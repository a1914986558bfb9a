import type { Event } from "vscode";

/**
 * What other extensions get from Porthole: `extensions.getExtension("porthole.porthole")?.activate()` resolves to a `PortholeApi`. This
 * file has no code and imports nothing but `vscode`, so it can be copied into another extension. Members are only ever added within
 * a version; docs/extension-api.md has an example.
 */
export interface PortholeApi {
  /** Grows when a member changes its meaning or goes away. */
  readonly version: 1;
  /**
   * Gives a port of the machine that the extension runs on a public URL, and resolves when visitors can come. A port that is exposed
   * already stays as it is. Otherwise the user is asked, and may say no. Rejects with a sentence for the user: nothing was
   * published then.
   */
  expose(port: number, options?: ExposeOptions): Promise<ExposedPort>;
  /** Takes the port off the internet. Does nothing for one that is not exposed. */
  stop(port: number): Promise<void>;
  /** The public URL of a port that this window exposes; undefined until there is one. */
  urlOf(port: number): string | undefined;
  /** Ports that are exposed, their URLs or their states have changed. */
  readonly onDidChange: Event<void>;
  /** A visitor's request was answered. Nothing is reported while the user has switched off `porthole.inspect`. */
  readonly onDidReceiveRequest: Event<ReceivedRequest>;
}

export interface ExposeOptions {
  /** Display name of the port. */
  readonly label?: string;
  /** The purpose, as a sentence for the user: "Acme Webhooks needs a public URL." */
  readonly reason?: string;
  /** Access to a port without rules of the user. Defaults to `share`: only visitors with a link, which the user gets. */
  readonly access?: "public" | "share";
}

export interface ExposedPort {
  readonly port: number;
  readonly url: string;
}

/** A request without its secrets: passwords, tokens and cookies are taken out of the target. */
export interface ReceivedRequest {
  readonly port: number;
  readonly id: string;
  readonly method: string;
  /** Path and query, as the visitor wrote them. */
  readonly target: string;
  /** Absent when the visitor left or the connection broke off before. */
  readonly status?: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly durationMs?: number;
}
