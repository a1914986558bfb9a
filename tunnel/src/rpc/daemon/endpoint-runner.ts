import { PortholeError } from "@porthole/common/errors";
import type { JoinedRelays } from "@porthole/common/invite";
import type { Logger } from "@porthole/common/log";
import type { GatewayOptions, LocalService } from "../../gateway/index.ts";
import { type RequestReport } from "../../http/index.ts";
import {
  runTunnel,
  type Dialers,
  type Endpoint,
  type EndpointState,
  type LinkPool,
  type PreparedTunnel,
  type VisitReport,
} from "../../tunnel/index.ts";
import type { Clock } from "@porthole/common/util";
import { asData } from "../contract/as-data.ts";
import type { EndpointView } from "../contract/index.ts";
import { LocalWatch } from "./local-watch.ts";
import { forgetToken } from "./relays.ts";

export interface EndpointRunnerOptions {
  readonly prepared: PreparedTunnel;
  readonly dialers: Dialers;
  readonly sharedLinks: LinkPool;
  readonly software: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly joined: JoinedRelays;
  readonly onChange: () => void;
  readonly onVisit: (report: VisitReport) => void;
  readonly onRequest: (report: RequestReport) => void;
}

/** One endpoint on all of its relays. Each runs by itself, so that the other one may come and go. */
export class EndpointRunner {
  readonly endpoint: Endpoint;
  /** Resolves, never rejects, when everything of it is over. */
  readonly done: Promise<void>;
  readonly #options: EndpointRunnerOptions;
  readonly #stop = new AbortController();
  readonly #urls = new Map<string, readonly string[]>();
  #state: EndpointState | undefined;
  readonly #local: LocalWatch;
  #error: PortholeError | undefined;
  #isOver = false;

  constructor(options: EndpointRunnerOptions) {
    this.endpoint = options.prepared.endpoints[0] as Endpoint;
    this.#options = options;
    const { clock, onChange } = options;
    this.#local = new LocalWatch({ service: () => this.endpoint.gateway.local, clock, onChange }, this.#stop.signal);
    this.done = this.#run();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why it is over, when it was not stopped. */
  get error(): PortholeError | undefined {
    return this.#error;
  }

  get state(): EndpointState | undefined {
    return this.#state;
  }

  /** Applies to new visitors, and to the next requests of those inside. */
  adjust(local: LocalService, options: Partial<GatewayOptions>): void {
    const { gateway } = this.endpoint;
    const { text, trust } = gateway.local;
    if (text !== local.text || trust?.ca !== local.trust?.ca || trust?.insecure !== local.trust?.insecure) {
      gateway.useLocal(local);
      this.#local.suspect();
    }
    const { headers, ...others } = options;
    // Choosing the headers makes the gateway forget what it has learned about the service.
    gateway.update(headers === undefined || headers === gateway.options.headers ? others : options);
  }

  view(): EndpointView | undefined {
    if (!this.#state) return undefined;
    const { isUp } = this.#local;
    return {
      ...asData(this.#state),
      ...(isUp === undefined ? {} : { localUp: isUp }),
      // In the order of the relays, not in that in which they came online: the first one is the URL to give away.
      urls: [...new Set(this.#state.relays.flatMap(({ address }) => this.#urls.get(address) ?? []))],
    };
  }

  /** Resolves when links and visits have ended. With `draining` visitors may finish before. */
  async stop(code: "aborted" | "draining"): Promise<void> {
    this.#stop.abort(new PortholeError(code, "The tunnel was stopped"));
    await this.done;
  }

  async #run(): Promise<void> {
    const { prepared, dialers, sharedLinks, software, clock, log, joined, onChange, onVisit, onRequest } =
      this.#options;
    try {
      await runTunnel(
        {
          ...prepared,
          dialers,
          sharedLinks,
          software,
          clock,
          log,
          onState: ({ endpoints: [state] }) => {
            this.#state = state;
            for (const { address, now } of state?.relays ?? [])
              if (now.status === "online") this.#urls.set(address, now.urls);
            // The first one comes from within the constructor.
            queueMicrotask(onChange);
          },
          onVisit: (report) => {
            this.#learn(report);
            onVisit(report);
          },
          onRequest: (report) => {
            this.#learn(report);
            onRequest(report);
          },
          onTokenUsed: (server) => forgetToken(joined, server, log),
        },
        this.#stop.signal,
      );
    } catch (reason) {
      if (!this.#stop.signal.aborted) this.#error = PortholeError.from(reason);
    }
    this.#stop.abort();
    this.#isOver = true;
    queueMicrotask(onChange);
  }

  #learn({ error }: { readonly error?: PortholeError }): void {
    if (error?.code === "service-down") this.#local.suspect();
  }
}
