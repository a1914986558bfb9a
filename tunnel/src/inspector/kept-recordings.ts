import { PortholeError, type ErrorCode } from "@porthole/common/errors";
import type { ForwardedHead, RawHeaders, RequestHead, ResponseHead } from "../http/index.ts";
import { MessageLog, type KeptMessages } from "./message-log.ts";
import type { KeptBody } from "./recorded-body.ts";
import { Recording, type RecordingHome, type RecordingOrigin } from "./recording.ts";

/** The limit on what outlives a process. The newest requests count. */
const maxKeptBytes = 16 * 1024 * 1024;

/** Everything that an inspector knows, as data that `v8.serialize` takes. Unredacted. */
export interface KeptRecordings {
  readonly isRecording: boolean;
  /** The oldest first. */
  readonly recordings: readonly KeptRecording[];
}

interface KeptRecording {
  readonly seq: number;
  readonly request: RequestHead;
  readonly origin: RecordingOrigin;
  readonly startedAt: number;
  /** Bytes that it counts for. */
  readonly bytes: number;
  readonly marks: Recording["marks"];
  readonly requestBody: KeptBody;
  readonly responseBody: KeptBody;
  readonly requestTrailers: RawHeaders;
  readonly responseTrailers: RawHeaders;
  readonly forwardedHead: ForwardedHead | undefined;
  readonly response: ResponseHead | undefined;
  readonly kind: Recording["kind"];
  readonly messages: KeptMessages | undefined;
  readonly error:
    { readonly code: ErrorCode; readonly message: string; readonly hint?: string | undefined } | undefined;
}

/** `newest`: the newest first. */
export function keepRecordings(newest: readonly Recording[], isRecording: boolean): KeptRecordings {
  let bytes = 0;
  const within = newest.filter((recording) => (bytes += recording.bytes) <= maxKeptBytes);
  return { isRecording, recordings: within.toReversed().map(keep) };
}

/** Returns a recording from its kept form. An exchange that was still open ended with the process that recorded it. */
export function restoreRecording(kept: KeptRecording, home: RecordingHome): Recording {
  const recording = new Recording(kept.seq, kept.request, home, kept.origin, kept.startedAt);
  const { requestBody, responseBody, messages, error } = kept;
  recording.requestBody.restore(requestBody);
  recording.responseBody.restore(responseBody);
  if (messages) {
    recording.messages = new MessageLog(home.maxBodyBytes);
    recording.messages.restore(messages);
  }
  Object.assign(recording.marks, kept.marks);
  const { requestTrailers, responseTrailers, forwardedHead, response, kind } = kept;
  Object.assign(recording, { requestTrailers, responseTrailers, forwardedHead, response, kind });
  if (error) recording.error = new PortholeError(error.code, error.message, error.hint ? { hint: error.hint } : {});
  if (recording.isOpen) {
    recording.marks.end = Math.max(0, ...Object.values(kept.marks));
    recording.error = new PortholeError("aborted", "The client ended before the request did");
  }
  home.grew(recording, kept.bytes - recording.bytes);
  recording.bytes = kept.bytes;
  return recording;
}

/** Without the function. */
function asData(head: ForwardedHead): ForwardedHead {
  const { onUnverified: _, ...service } = head.service;
  return { ...head, service };
}

function keep(recording: Recording): KeptRecording {
  const { seq, request, origin, startedAt, marks, requestTrailers, responseTrailers, response, kind } = recording;
  const { bytes, forwardedHead, error } = recording;
  return {
    ...{ seq, request, origin, startedAt, bytes, marks, requestTrailers, responseTrailers, response, kind },
    requestBody: recording.requestBody.keep(),
    responseBody: recording.responseBody.keep(),
    forwardedHead: forwardedHead && asData(forwardedHead),
    messages: recording.messages?.keep(),
    error: error && { code: error.code, message: error.message, hint: error.hint },
  };
}
