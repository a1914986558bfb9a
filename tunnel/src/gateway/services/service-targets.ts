import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import type { ServiceTarget } from "../../http/index.ts";
import { HttpsProtocols } from "./https-protocols.ts";
import type { LocalService } from "./local-service.ts";
import { targetOf } from "./local-side.ts";
import { speaksHttp2 } from "./speaks-http2.ts";

/** A visitor's connection, at the choice of its services. */
export interface VisitorProtocols {
  readonly local: LocalService;
  /** Every other service behind the endpoint. */
  readonly others: readonly LocalService[];
  readonly alpn: string | undefined;
  /** The protocols that the visitor's ALPN offered. */
  readonly offered: readonly string[];
  readonly preface: Buffer | undefined;
  readonly signal: AbortSignal;
}

/** Finds out what the gateway speaks with each service. */
export class ServiceTargets {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #https: HttpsProtocols;
  /** Services whose certificate has been spoken of. */
  readonly #reported = new Set<string>();

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = clock;
    this.#log = log;
    this.#https = new HttpsProtocols(clock);
  }

  /** Browsers offer both versions; a visitor that offers HTTP/2 alone may be a gRPC client, whose service can do nothing else either. */
  async for({
    local,
    others,
    alpn,
    offered,
    ...rest
  }: VisitorProtocols): Promise<(service: LocalService) => ServiceTarget> {
    const connection = { clock: this.#clock, ...rest };
    const isHttp2Only = alpn === "h2" && !offered.includes("http/1.1");
    const isH2c = isHttp2Only && local.kind === "any" && (await speaksHttp2(local, connection));
    const overTls = new Set<LocalService>();
    const ask = async (service: LocalService): Promise<void> => {
      if (await this.#https.isHttp2(service, isHttp2Only, connection)) overTls.add(service);
    };
    await Promise.all([local, ...others].filter(({ kind }) => kind === "https").map(ask));
    const targets = new Map<LocalService, ServiceTarget>();
    return (service) => {
      let target = targets.get(service);
      if (!target) {
        target = { ...targetOf(service), preface: rest.preface, onUnverified: this.unverified(service) };
        if (overTls.has(service)) target = { ...target, kind: "h2" };
        else if (isH2c && service === local) target = { ...target, kind: "h2c" };
        targets.set(service, target);
      }
      return target;
    };
  }

  /** Returns what says once of each service that its certificate is accepted though no CA vouches for it. */
  unverified({ text, trust }: LocalService): (reason: string) => void {
    const why = trust?.insecure ? "any certificate is accepted" : "the service is on this machine or network";
    return (reason) => {
      if (this.#reported.has(text)) return;
      this.#reported.add(text);
      this.#log.info(
        { service: text },
        `The certificate of ${text} is accepted without a CA, because ${why}: ${reason}`,
      );
    };
  }
}
