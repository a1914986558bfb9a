import { bodyViewOf, readBody } from "./body-view.ts";
import { harText, type HarPart, type HarRecord } from "./har-text.ts";
import type { LoggedMessage } from "./message-log.ts";
import { messageViewOf } from "./message-view.ts";
import type { Redactor } from "./redactor.ts";
import type { BodyQuery } from "./queries.ts";
import type { BodyInfo, BodyView, MessageView } from "./views.ts";

/** Decoding and redacting what was recorded: a job takes as long as visitors' bytes make it. Plain data, so that another thread can do it. */
export type ReadingJob =
  | { readonly kind: "view"; readonly kept: Uint8Array; readonly info: BodyInfo; readonly query: BodyQuery }
  /** A body for an export; as it was kept where nothing has to be taken out. */
  | { readonly kind: "body"; readonly kept: Uint8Array; readonly info: BodyInfo }
  | { readonly kind: "messages"; readonly messages: readonly LoggedMessage[]; readonly unredacted: boolean }
  | {
      readonly kind: "har";
      readonly records: readonly HarRecord[];
      readonly unredacted: boolean;
      readonly bytesBefore: number;
    };

export interface ReadingResults {
  readonly view: BodyView;
  readonly body: Uint8Array;
  readonly messages: MessageView[];
  readonly har: HarPart;
}

/** `names`: what is taken out besides what always is. */
export async function read<K extends ReadingJob["kind"]>(
  job: Extract<ReadingJob, { readonly kind: K }>,
  redactor: Redactor,
): Promise<ReadingResults[K]>;
export async function read(job: ReadingJob, redactor: Redactor): Promise<ReadingResults[ReadingJob["kind"]]> {
  switch (job.kind) {
    case "view": {
      const { kept, info, query } = job;
      const body = await readBody(bufferOf(kept), info, query.unredacted ? undefined : redactor);
      return bodyViewOf(body, info, query, redactor);
    }
    case "body": {
      const { kept, info } = job;
      const plain = await readBody(bufferOf(kept), info, undefined);
      const shown = await readBody(bufferOf(kept), info, redactor);
      return plain.text === shown.text ? kept : Buffer.from(shown.text ?? "");
    }
    case "messages":
      return messageViewsOf(job.messages, job.unredacted ? undefined : redactor);
    case "har":
      return harText(
        job.records.map((record) => ({ ...record, messages: record.messages.map(withBuffer) })),
        job.unredacted ? undefined : redactor,
        job.bytesBefore,
      );
  }
}

function messageViewsOf(messages: readonly LoggedMessage[], redactor: Redactor | undefined): MessageView[] {
  return messages.map((message) => messageViewOf(withBuffer(message), redactor));
}

/** Another thread gets the bytes without Buffer's methods. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function withBuffer(logged: LoggedMessage): LoggedMessage {
  return { ...logged, message: { ...logged.message, data: bufferOf(logged.message.data) } };
}

/** Characters or bytes that a job has to read at most: what is compressed may become many more. */
export function weightOf(job: ReadingJob): number {
  switch (job.kind) {
    case "view":
    case "body":
      return weightOfBody(job);
    case "messages":
      return weightOfMessages(job.messages);
    case "har":
      return job.records.reduce(
        (sum, { request, response, messages }) =>
          sum + weightOfBody(request) + weightOfBody(response) + weightOfMessages(messages),
        0,
      );
  }
}

function weightOfBody({ kept, info }: { readonly kept: Uint8Array; readonly info: BodyInfo }): number {
  return info.contentEncoding === "" || kept.length === 0 ? kept.length : Infinity;
}

function weightOfMessages(messages: readonly LoggedMessage[]): number {
  return messages.reduce((sum, { message }) => sum + message.data.length, 0);
}
