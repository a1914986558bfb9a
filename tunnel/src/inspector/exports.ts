import { PortholeError } from "@porthole/common/errors";
import { valueOf, type RawHeaders } from "../http/index.ts";
import { bodyInfo, detailOf, plainHeaders, publicOrigin } from "./exchange-view.ts";
import { curlCommand } from "./export-curl.ts";
import { fetchCode } from "./export-fetch.ts";
import type { ExportedRequest } from "./export-request.ts";
import { joinHars, maxHarBytes, type HarRecord } from "./har-text.ts";
import { headsWork, Pace } from "./pace.ts";
import { bufferOf } from "./reading-jobs.ts";
import type { ReadingThread } from "./reading-thread.ts";
import type { Recording } from "./recording.ts";
import type { Redactor } from "./redactor.ts";
import type { ExportQuery } from "./queries.ts";
import type { ExportResult, Header } from "./views.ts";

/** Returns the recordings in the wanted format, as a text to copy or to save. Rejects with `usage` when the format does not fit them. */
export async function exportRecordings(
  recordings: readonly Recording[],
  query: ExportQuery,
  redactor: Redactor,
  thread: ReadingThread,
): Promise<ExportResult> {
  const notes = new Set<string>();
  const redact = query.unredacted ? undefined : redactor;
  if (redact)
    notes.add("Passwords, tokens, cookies and other values were taken out; ask for it unredacted if you need them.");
  if (query.format === "har") {
    const { text, isTooMuch, isCut } = await har(recordings, redactor, redact === undefined, thread);
    if (isTooMuch)
      notes.add(
        `Bodies and messages above ${maxHarBytes / 1024 / 1024} MiB in all were left out; export fewer requests.`,
      );
    if (isCut) notes.add("Of large bodies only the beginning was kept.");
    return {
      text,
      mediaType: "application/json",
      fileName: `porthole-${new Date(recordings[0]?.startedAt ?? 0).toISOString().slice(0, 19).replace(/[-:]/g, "")}.har`,
      notes: [...notes],
    };
  }
  const [recording] = recordings;
  if (!recording || recordings.length > 1)
    throw new PortholeError("usage", `${query.format} is for one request, not for ${recordings.length}`);
  const request = await exportedRequest(recording, query, { redact, thread }, notes);
  return query.format === "curl"
    ? {
        text: `${curlCommand(request)}\n`,
        mediaType: "application/x-sh",
        fileName: `request-${recording.id}.sh`,
        notes: [...notes],
      }
    : {
        text: `${fetchCode(request)}\n`,
        mediaType: "text/javascript",
        fileName: `request-${recording.id}.js`,
        notes: [...notes],
      };
}

/** What goes to the other thread in one piece: it is copied within a turn of the event loop. */
const partRecords = 8;
const partBytes = 1024 * 1024;

async function har(
  recordings: readonly Recording[],
  redactor: Redactor,
  unredacted: boolean,
  thread: ReadingThread,
): Promise<{ readonly text: string; readonly isTooMuch: boolean; readonly isCut: boolean }> {
  const parts: string[] = [];
  const pace = new Pace();
  let [bytes, isAnyCut, held]: [number, boolean, number] = [0, false, 0];
  let records: HarRecord[] = [];
  const read = async (): Promise<void> => {
    const part = await thread.read({ kind: "har", records, unredacted, bytesBefore: bytes });
    parts.push(part.text);
    bytes = part.bytes;
    [records, held] = [[], 0];
    // What is small is read on this thread.
    await pace.spend(partBytes);
  };
  for (const recording of recordings) {
    const record = harRecord(recording, redactor, unredacted, bytes + held < maxHarBytes);
    const { request, response } = record.detail;
    isAnyCut ||= isCut(request.body.state) || isCut(response?.body.state);
    held += record.request.kept.length + record.response.kept.length;
    records.push(record);
    if (records.length >= partRecords || held >= partBytes) await read();
    else await pace.spend(headsWork);
  }
  if (records.length > 0 || parts.length === 0) await read();
  return {
    text: parts.length === 1 ? (parts[0] ?? "") : joinHars(parts),
    isTooMuch: bytes >= maxHarBytes,
    isCut: isAnyCut,
  };
}

async function exportedRequest(
  recording: Recording,
  query: ExportQuery,
  { redact, thread }: { readonly redact: Redactor | undefined; readonly thread: ReadingThread },
  notes: Set<string>,
): Promise<ExportedRequest> {
  const toService = query.to === "service";
  const forwarded = recording.forwardedHead;
  if (toService && !forwarded) throw new PortholeError("usage", "This request never reached the local service");
  const head = toService && forwarded ? forwarded : recording.request;
  if (recording.requestBody.keptBytes < recording.requestBody.bytes && recording.kind !== "websocket")
    notes.add("Of the body only the beginning was kept.");
  if (query.format === "fetch" && (head.method === "GET" || head.method === "HEAD") && recording.requestBody.bytes > 0)
    notes.add("fetch sends no body with GET or HEAD.");
  return {
    method: head.method,
    origin: toService && forwarded ? serviceOrigin(forwarded.service) : publicOrigin(recording),
    target: redact ? redact.target(head.target) : head.target,
    headers: shownHeaders(toService ? head.headers : visitorHeaders(recording), redact),
    body: await exportedBody(recording, redact, thread),
  };
}

/** Fields that the gateway adds for the local service. It adds them again to a request by the public URL. */
const addedByGateway = /^(host|forwarded|x-forwarded-.*)$/i;

/** The headers as a visitor sends them. A replay went straight to the local service, with the gateway's own and with local names. */
function visitorHeaders(recording: Recording): RawHeaders {
  const { headers } = recording.request;
  if (recording.origin.replayOf === undefined) return headers;
  const host = valueOf(headers, "host") ?? "";
  const local = new RegExp(`^https?://${host.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}(?=/|$)`, "i");
  return headers.flatMap((name, index) => {
    if (index % 2 === 1 || addedByGateway.test(name)) return [];
    const value = headers[index + 1] ?? "";
    const isLocal = host !== "" && /^(origin|referer)$/i.test(name);
    return [name, isLocal ? value.replace(local, publicOrigin(recording)) : value];
  });
}

/** The bytes as they were sent; only what has to be taken out changes them. */
async function exportedBody(
  recording: Recording,
  redact: Redactor | undefined,
  thread: ReadingThread,
): Promise<Buffer> {
  if (recording.kind === "websocket") return Buffer.alloc(0);
  const { kept } = recording.requestBody;
  if (!redact || kept.length === 0) return kept;
  return bufferOf(await thread.read({ kind: "body", kept, info: bodyInfo(recording, "request") }));
}

function harRecord(recording: Recording, redactor: Redactor, unredacted: boolean, withBodies: boolean): HarRecord {
  const isThere = withBodies && recording.kind !== "websocket";
  const body = (side: "request" | "response"): HarRecord["request"] => {
    const { kept } = side === "request" ? recording.requestBody : recording.responseBody;
    return { kept: isThere ? kept : Buffer.alloc(0), info: bodyInfo(recording, side) };
  };
  return {
    detail: detailOf(recording, redactor, unredacted),
    request: body("request"),
    response: body("response"),
    messages: withBodies ? (recording.messages?.after(0, Number.POSITIVE_INFINITY) ?? []) : [],
  };
}

function shownHeaders(headers: RawHeaders, redact: Redactor | undefined): Header[] {
  return redact ? redact.headers(headers) : plainHeaders(headers);
}

function serviceOrigin({
  kind,
  host,
  port,
}: {
  readonly kind: string;
  readonly host: string;
  readonly port: number;
}): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `${kind === "https" ? "https" : "http"}://${name}:${port}`;
}

function isCut(state: string | undefined): boolean {
  return state === "truncated";
}
