import { ErrorCodes, ResponseError } from "vscode-jsonrpc/node";
import { isErrorCode, PortholeError } from "@porthole/common/errors";

/** What went wrong: `code` is an ErrorCode and decides, the rest is for people. The set of codes grows. */
export interface RpcErrorData {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly retryAfterMs?: number;
  /** Trying again can help. */
  readonly retryable: boolean;
}

/** For errors with a code of ours, which is in the data (JSON-RPC 2.0 5.1: -32000 to -32099 are the server's). */
const applicationError = -32_000;

/** The library's own words for a connection that is over. */
const goneCodes: readonly number[] = [
  ErrorCodes.MessageWriteError,
  ErrorCodes.PendingResponseRejected,
  ErrorCodes.ConnectionInactive,
];

/** Any caught value as data. */
export function rpcErrorData(reason: unknown): RpcErrorData {
  const { code, message, hint, retryAfterMs, retryable } = PortholeError.from(reason);
  return {
    code,
    message,
    retryable,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Any caught value as the error of an answer. `rpcCode` for those that JSON-RPC has a number of its own for. */
export function toResponseError(reason: unknown, rpcCode?: number): ResponseError<RpcErrorData> {
  const data = rpcErrorData(reason);
  const fallback = data.code === "internal" ? ErrorCodes.InternalError : applicationError;
  return new ResponseError(rpcCode ?? fallback, data.message, data);
}

/** The error of an answer as one of ours. */
export function fromResponseError(reason: unknown): PortholeError {
  if (reason instanceof PortholeError) return reason;
  if (!(reason instanceof ResponseError)) return PortholeError.from(reason);
  if (reason.data === undefined && goneCodes.includes(reason.code))
    return new PortholeError("closed", "The daemon has ended", { cause: reason });
  return fromRpcErrorData((reason.data ?? {}) as Partial<RpcErrorData>, reason.message);
}

const remote = new WeakSet<PortholeError>();

/** Whether another process has written the error's text, in English. */
export function isRemote(error: PortholeError): boolean {
  return remote.has(error);
}

/** Codes that this version does not know are bugs of one of the two. */
export function fromRpcErrorData(data: Partial<RpcErrorData>, fallback = "The daemon failed"): PortholeError {
  const error = new PortholeError(isErrorCode(data.code) ? data.code : "internal", data.message ?? fallback, {
    ...(data.hint === undefined ? {} : { hint: data.hint }),
    ...(data.retryAfterMs === undefined ? {} : { retryAfterMs: data.retryAfterMs }),
  });
  remote.add(error);
  return error;
}

/** Whatever a signing function of the user's threw. */
export function signerError(reason: unknown): PortholeError {
  if (reason instanceof PortholeError) return reason;
  return new PortholeError("signer", reason instanceof Error ? reason.message : String(reason), { cause: reason });
}
