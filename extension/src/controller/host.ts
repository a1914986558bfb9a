import type { RelaySpec } from "@porthole/tunnel/rpc";
import type { SettingTypes } from "../manifest/index.ts";

/** The editor, for the controller. Nothing here knows `vscode`. */

export interface Settings {
  get<K extends keyof SettingTypes>(id: K): SettingTypes[K];
  set<K extends keyof SettingTypes>(id: K, value: SettingTypes[K]): Promise<void>;
}

/** Kept by the operating system's keychain, or whatever the editor has instead. */
export interface Secrets {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Kept for this workspace. */
export interface WorkspaceStore {
  get(): unknown;
  set(value: unknown): Promise<void>;
}

export interface Workspace {
  /** The URI of the saved workspace, or of the first folder; empty without one. */
  readonly folder: string;
  readonly isTrusted: boolean;
}

export type Relay = Omit<RelaySpec, "token">;
