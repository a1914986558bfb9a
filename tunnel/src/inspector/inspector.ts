import { PortholeError } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";
import type { Exchange, ExchangeObserver, RequestHead } from "../http/index.ts";
import { ChangeFeed } from "./change-feed.ts";
import { parseFilter } from "./exchange-filter.ts";
import { bodyInfo, detailOf, summaryOf } from "./exchange-view.ts";
import { exportRecordings } from "./exports.ts";
import { keepRecordings, type KeptRecordings } from "./kept-recordings.ts";
import { headsWork, Pace } from "./pace.ts";
import { ReadingThread } from "./reading-thread.ts";
import type { Recording } from "./recording.ts";
import { Recordings, type RecordingLimits } from "./recordings.ts";
import { Redactor } from "./redactor.ts";
import { sendReplay } from "./replay.ts";
import { prepareReplay } from "./replay-request.ts";
import { TextSearch } from "./text-search.ts";
import type {
  BodyQuery,
  DetailQuery,
  ExchangeFilter,
  ExportQuery,
  ListQuery,
  MessagesQuery,
  ReplayRequest,
} from "./queries.ts";
import {
  inspectorVersion,
  type BodyView,
  type ExchangeDetail,
  type ExchangeId,
  type ExchangeSummary,
  type ExportResult,
  type InspectorChanges,
  type InspectorStatus,
  type ListResult,
  type MessagesResult,
  type ReplayResult,
} from "./views.ts";

export interface InspectorOptions {
  readonly clock: Clock;
  /** Names of headers, fields and parameters to take out besides those that always are. */
  readonly redact?: readonly string[];
  readonly limits?: Partial<RecordingLimits>;
  /** False: nothing is recorded until `setRecording(true)`. */
  readonly recording?: boolean;
  /** Recordings that an earlier inspector kept. The list begins with them. */
  readonly kept?: KeptRecordings | undefined;
}

const defaultLimits: RecordingLimits = {
  maxExchanges: 5_000,
  maxBytes: 64 * 1024 * 1024,
  maxBodyBytes: 1024 * 1024,
};
const maxReplays = 100;

/** Records exchanges in memory and answers questions about them. The caller closes it. */
export class Inspector implements ExchangeObserver {
  readonly #clock: Clock;
  readonly #limits: RecordingLimits;
  readonly #redactor: Redactor;
  readonly #thread: ReadingThread;
  readonly #recordings: Recordings;
  readonly #feed: ChangeFeed;
  readonly #closing = new AbortController();
  readonly #replays = new Set<Promise<void>>();
  #isRecording: boolean;

  constructor(options: InspectorOptions) {
    this.#clock = options.clock;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#redactor = new Redactor(options.redact);
    this.#thread = new ReadingThread(options.clock, options.redact ?? []);
    this.#isRecording = options.kept?.isRecording ?? options.recording ?? true;
    this.#feed = new ChangeFeed(
      options.clock,
      (recording) => this.#summary(recording),
      () => this.status(),
    );
    this.#recordings = new Recordings(this.#limits, options.clock, this.#feed);
    if (options.kept) this.#recordings.restore(options.kept);
  }

  begin(request: RequestHead): Exchange | undefined {
    return this.#isRecording ? this.#recordings.begin(request) : undefined;
  }

  status(): InspectorStatus {
    return {
      recording: this.#isRecording,
      exchanges: this.#recordings.size,
      bytes: this.#recordings.bytes,
      evicted: this.#recordings.evicted,
      ...this.#limits,
    };
  }

  async list({ filter, before, limit = 200 }: ListQuery): Promise<ListResult> {
    const { fits, pace } = this.#filter(filter);
    const count = Math.min(1_000, Math.max(1, Math.trunc(limit)));
    const exchanges: ExchangeSummary[] = [];
    let more = false;
    for (const recording of this.#recordings.newest()) {
      if (before !== undefined && recording.seq >= before) continue;
      const isWanted = fits(recording);
      await pace();
      if (!isWanted) continue;
      more = exchanges.length === count;
      if (more) break;
      exchanges.push(this.#summary(recording));
    }
    return { version: inspectorVersion, exchanges, more, status: this.status() };
  }

  detail({ id, unredacted = false }: DetailQuery): ExchangeDetail {
    return detailOf(this.#recording(id), this.#redactor, unredacted);
  }

  async body(query: BodyQuery): Promise<BodyView> {
    const recording = this.#recording(query.id);
    const body = query.side === "request" ? recording.requestBody : recording.responseBody;
    const info = bodyInfo(recording, query.side);
    const kept = info.keptBytes === 0 ? Buffer.alloc(0) : body.kept;
    return this.#thread.read({ kind: "view", kept, info, query });
  }

  async messages({ id, after = 0, limit = 1_000, unredacted = false }: MessagesQuery): Promise<MessagesResult> {
    const log = this.#recording(id).messages;
    if (!log) return { messages: [], firstKept: 1, total: 0, more: false };
    const found = log.after(after, Math.min(1_000, Math.max(1, Math.trunc(limit))));
    const { firstKept, total } = log;
    const messages = await this.#thread.read({ kind: "messages", messages: found, unredacted });
    return { messages, firstKept, total, more: (found.at(-1)?.seq ?? total) < total };
  }

  async replay({ id, edit }: ReplayRequest): Promise<ReplayResult> {
    const recording = this.#recording(id);
    const prepared = prepareReplay(recording, edit);
    if (this.#replays.size >= maxReplays) throw new PortholeError("busy", `${maxReplays} replays are running already`);
    const { head } = prepared;
    const { visitor, scheme } = recording.request;
    const request: RequestHead = { visitor, scheme, httpVersion: "1.1", ...head };
    const replay = this.#recordings.begin(request, { replayOf: id, ...(edit && { edited: true }) });
    const sent = sendReplay(prepared, replay, { clock: this.#clock, signal: this.#closing.signal });
    this.#replays.add(sent);
    void sent.then(() => this.#replays.delete(sent));
    return { id: replay.id };
  }

  async export(query: ExportQuery): Promise<ExportResult> {
    const recordings = query.ids.map((id) => this.#recording(id));
    if (recordings.length > 0) return exportRecordings(recordings, query, this.#redactor, this.#thread);
    const { fits, pace } = this.#filter(query.filter);
    const found: Recording[] = [];
    for (const recording of this.#recordings.newest()) {
      if (fits(recording)) found.push(recording);
      await pace();
    }
    return exportRecordings(found.toReversed(), query, this.#redactor, this.#thread);
  }

  /** Everything for the next one, unredacted. Undefined when there is nothing to keep. */
  keep(): KeptRecordings | undefined {
    if (this.#isRecording && this.#recordings.size === 0) return undefined;
    return keepRecordings(this.#recordings.newest(), this.#isRecording);
  }

  clear(): void {
    this.#recordings.clear();
    this.#feed.touch();
  }

  /** False: new requests are not recorded, and cost nothing. What is there stays. */
  setRecording(recording: boolean): InspectorStatus {
    this.#isRecording = recording;
    this.#feed.touch();
    return this.status();
  }

  /** Nobody subscribed, nothing paid. The returned function ends it. */
  subscribe(listener: (changes: InspectorChanges) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  /** Breaks replays off and forgets everything. */
  async close(): Promise<void> {
    this.#isRecording = false;
    this.#closing.abort(new PortholeError("aborted", "The client ends"));
    await Promise.all([...this.#replays, this.#thread.close()]);
    this.#feed.close();
    this.#recordings.clear();
  }

  #recording(id: ExchangeId): Recording {
    const recording = this.#recordings.get(id);
    if (recording) return recording;
    throw new PortholeError("usage", `There is no request ${JSON.stringify(id)} here`, {
      hint: "It may have given way to newer ones; the list shows those that are kept.",
    });
  }

  /** For one question, the newest first; `pace` is to be awaited after each. */
  #filter(filter: ExchangeFilter | undefined) {
    const test = parseFilter(filter);
    const search = new TextSearch(this.#redactor);
    const turns = new Pace();
    return {
      fits: (recording: Recording): boolean =>
        test({ summary: this.#summary(recording), contains: (word) => search.contains(recording, word) }),
      pace: (): Promise<void> | undefined => turns.spend(headsWork + search.takeWork()),
    };
  }

  #summary(recording: Recording): ExchangeSummary {
    return summaryOf(recording, this.#redactor);
  }
}
