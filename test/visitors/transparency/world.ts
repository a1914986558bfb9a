import type { Socket } from "node:net";
import { startTunnel, type Scope, type Site } from "@porthole/testing/end-to-end";
import { answers } from "./cases/answers.ts";
import { slug, type AnswerCase, type AnswerCases } from "./cases/answer-case.ts";
import { selfSigned } from "./self-signed.ts";
import { startRawService, type RawService } from "./raw-service.ts";
import { dialDirectly, dialTls, http2Visitor, type Http2Visitor } from "./visitors.ts";

/** What the cases of a suite share: one tunnel to one service, and a visitor with an HTTP/2 connection. */
export interface World {
  readonly scope: Scope;
  readonly site: Site;
  readonly kind: "http" | "https";
  readonly service: RawService;
  readonly http2: Http2Visitor;
  /** A connection to the service without the tunnel. */
  dial(): Promise<Socket>;
}

/** Declares the hook in the present suite. The service answers all cases. */
export function useWorld(scope: Scope, kind: World["kind"]): () => World {
  let world: World;
  before(async () => {
    const tls = kind === "https" ? { tls: selfSigned() } : {};
    const service = await startRawService(scope, { answers: answersByPath(), ...tls });
    const local = `${kind}://127.0.0.1:${service.port}`;
    const { site } = await startTunnel(scope, { transport: "http2", local });
    const dial = kind === "https" ? dialTls : dialDirectly;
    world = { scope, site, kind, service, http2: http2Visitor(scope, site), dial: () => dial(service.port) };
  });
  return () => world;
}

function answersByPath(): Map<string, AnswerCase> {
  const all = new Map<string, AnswerCase>();
  for (const cases of Object.values<AnswerCases>(answers))
    for (const [name, answer] of Object.entries(cases)) all.set(slug(name), answer);
  return all;
}
