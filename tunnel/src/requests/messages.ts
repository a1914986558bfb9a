import type { BodySide, InspectorChanges, RpcErrorData, Requests } from "../rpc/index.ts";

/** The messages between the Requests page and its host. All of it is data, and none of it runs. */

/** The daemon's requests that the page may call. */
export const pageMethods = [
  "inspect/list",
  "inspect/get",
  "inspect/body",
  "inspect/messages",
  "inspect/replay",
  "inspect/export",
  "inspect/clear",
  "inspect/record",
] as const;

export type PageMethod = (typeof pageMethods)[number];
export type PageParams<M extends PageMethod> = Omit<Requests[M][0], "tunnel">;
export type PageResult<M extends PageMethod> = Requests[M][1];

export interface TunnelChoice {
  readonly id: string;
  readonly name: string;
  /** Short name that distinguishes its requests from those of other ports: `:3000`. */
  readonly short: string;
}

/** One recorded request. */
export interface ExchangeRef {
  readonly tunnel: string;
  readonly id: string;
}

export type ToPage =
  | { readonly type: "init"; readonly texts: Readonly<Record<string, string>> }
  | { readonly type: "tunnels"; readonly tunnels: readonly TunnelChoice[] }
  /** The requests of this port, and of them the one with this id. */
  | { readonly type: "show"; readonly tunnel: string; readonly id?: string }
  | { readonly type: "changes"; readonly tunnel: string; readonly changes: InspectorChanges }
  /** Something that a person should know. */
  | { readonly type: "say"; readonly text: string }
  | { readonly type: "answer"; readonly n: number; readonly result?: unknown; readonly error?: RpcErrorData };

export type FromPage =
  | { readonly type: "ready" }
  | {
      readonly type: "call";
      readonly n: number;
      readonly tunnel: string;
      readonly method: PageMethod;
      readonly params: object;
    }
  | { readonly type: "copy"; readonly text: string; readonly what: string }
  | { readonly type: "save"; readonly fileName: string; readonly text?: string; readonly base64?: string }
  /** A body in an editor. */
  | ({ readonly type: "open"; readonly side: BodySide; readonly unredacted: boolean } & ExchangeRef)
  /** The whole exchange beside another one, in the diff editor. */
  | ({ readonly type: "compare"; readonly unredacted: boolean } & ExchangeRef)
  /** The request as a text to be changed and sent. */
  | ({ readonly type: "edit" } & ExchangeRef);
