import type { Clock } from "@porthole/common/util";
import { isFull, hastenedFrom, startTunnel, type Scope, type Site } from "@porthole/testing/end-to-end";
import { connectHttp2 } from "../visits.ts";
import { slug } from "./cases/answer-case.ts";
import type { TalkCase, TalkCases } from "./cases/talk-case.ts";
import { idleTalks, talks } from "./cases/talks.ts";
import { judge } from "./judge.ts";
import type { Difference } from "./messages.ts";
import { http1TalkVisitor, http2TalkVisitor, runTalk, type TalkVisitor } from "./talk.ts";
import { startTalkService, type TalkService } from "./talk-service.ts";
import { dialDirectly, dialHttp1 } from "./visitors.ts";

/** How many times shorter a wait of a minute or more is. */
const haste = isFull ? 1 : 30;
const silenceMs = 130_000 / haste;

type Way = "directly" | "HTTP/1.1" | "HTTP/2";

export function declareTalks(scope: Scope): void {
  let service: TalkService;
  let site: Site;
  let runCount = 0;

  before(async () => {
    service = await startTalkService(scope);
    site = await siteOnClock(scope.clock);
  });

  for (const [corpus, cases] of Object.entries(talks)) describe(corpus, () => declare(cases));

  describe("two minutes of silence", function () {
    this.timeout(silenceMs * 2 + 60_000);
    before(async () => {
      site = await siteOnClock(hastenedFrom(60_000, scope.clock, haste));
    });
    declare(idleTalks);
  });

  /** The conversations of a suite are held at once: some of them wait for what takes a while. */
  function declare(cases: TalkCases): void {
    const outcomes = new Map<string, Promise<void>>();
    before(() => {
      for (const { title, name, talk, way } of runs(cases)) {
        const outcome = compare(name, talk, way);
        outcome.catch(() => {});
        outcomes.set(title, outcome);
      }
    });
    for (const { title } of runs(cases)) it(title, () => outcomes.get(title));
  }

  async function siteOnClock(clock: Clock): Promise<Site> {
    const local = `http://127.0.0.1:${service.port}`;
    return (await startTunnel(scope, { transport: "http2", local, client: { clock } })).site;
  }

  async function compare(name: string, talk: TalkCase, way: Exclude<Way, "directly">): Promise<void> {
    const [direct = "", tunnelled = ""] = [
      await run(name, talk, "directly", silenceMs / 100),
      await run(name, talk, way, silenceMs),
    ];
    const differences: Difference[] = direct === tunnelled ? [] : [{ part: "talk", name: "", direct, tunnelled }];
    const client = way === "HTTP/2" ? "node:http2" : "socket";
    judge({ message: "talk", name, visitor: way, service: "http", client }, differences);
  }

  async function run(name: string, talk: TalkCase, way: Way, silenceMs: number): Promise<string | undefined> {
    runCount += 1;
    const path = `${slug(name)}-${runCount}`;
    const side = service.begin(path);
    const visitor = await visitorOf(talk, way, path);
    try {
      return await runTalk({ talk, visitor, service: side, silenceMs, named: (text) => named(text, path) });
    } finally {
      visitor.side.close();
      service.end(path);
    }
  }

  async function visitorOf(talk: TalkCase, way: Way, path: string): Promise<TalkVisitor> {
    if (way === "HTTP/2") {
      const session = await connectHttp2(scope, site);
      const visitor = await http2TalkVisitor(session, talk, `/${path}`, `${site.hostname}:${site.port}`);
      return { ...visitor, side: Object.assign(visitor.side, { close: () => session.destroy() }) };
    }
    const socket = way === "directly" ? await dialDirectly(service.port) : await dialHttp1(scope, site, talk.alpn);
    return http1TalkVisitor(socket, talk, headOf(talk, path));
  }

  function headOf({ request = {} }: TalkCase, path: string): string {
    const { method = "GET", fields = [], body } = request;
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const length =
      body === undefined ? "" : body === "chunked" ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${body}\r\n`;
    return named(`${method} /TALK HTTP/1.1\r\nHost: NAME\r\n${lines}${length}\r\n`, path);
  }

  function named(text: string, path: string): string {
    return text.replaceAll("TALK", path).replaceAll("NAME", `${site.hostname}:${site.port}`);
  }
}

interface Run {
  readonly title: string;
  readonly name: string;
  readonly talk: TalkCase;
  readonly way: Exclude<Way, "directly">;
}

function runs(cases: TalkCases): Run[] {
  return Object.entries(cases).flatMap(([name, talk]) =>
    (["HTTP/1.1", "HTTP/2"] as const)
      .filter((way) => talk.only === undefined || talk.only === way)
      .map((way) => ({ title: `${name}, over ${way}`, name, talk, way })),
  );
}
