import http2, { type ClientHttp2Session } from "node:http2";
import { startTunnel, type Scope, type Site } from "@porthole/testing/end-to-end";
import { slug } from "./cases/answer-case.ts";
import { http2Answers, type Http2Answer } from "./cases/http2-answers.ts";
import { http1Bytes, type RequestCase } from "./cases/request-case.ts";
import { requests } from "./cases/requests.ts";
import { startHttp2Service, type Http2Service } from "./http2-service.ts";
import { judge } from "./judge.ts";
import type { Circumstances } from "./listed.ts";
import { answerDifferences, manyDifferences } from "./messages.ts";
import { selfSigned } from "./self-signed.ts";
import { dialHttp1, http2Visitor, Http2Visitor, visitHttp1, type Http2Visit } from "./visitors.ts";

/** Services that speak HTTP/2 only, without TLS and with it. */
export function declareHttp2Services(scope: Scope, kind: "h2c" | "h2"): void {
  let service: Http2Service;
  let site: Site;
  let direct: Http2Visitor;
  let tunnelled: Http2Visitor;

  before(async () => {
    const answers = new Map(Object.entries(http2Answers).map(([name, answer]) => [slug(name), answer]));
    const tls = kind === "h2" ? selfSigned() : undefined;
    service = await startHttp2Service(scope, { answers, ...(tls ? { tls } : {}) });
    const local = `${kind === "h2" ? "https" : "h2c"}://127.0.0.1:${service.port}`;
    ({ site } = await startTunnel(scope, { transport: "http2", local }));
    tunnelled = http2Visitor(scope, site);
    const connect = (): Promise<ClientHttp2Session> =>
      connectTo(scope, `${kind === "h2" ? "https" : "http"}://127.0.0.1:${service.port}`);
    direct = new Http2Visitor(`${site.hostname}:${site.port}`, connect);
  });

  describe("answers", () => {
    for (const [name, answer] of Object.entries(http2Answers)) {
      for (const visitor of ["HTTP/1.1", "HTTP/2"] as const)
        it(`${name}, over ${visitor}`, async () => {
          const visit = visitOf(name, answer);
          const seen = visitor === "HTTP/2" ? await tunnelled.visit(visit) : await overHttp1(visit);
          judge(where("answer", name, visitor), answerDifferences(await direct.visit(visit), seen));
        });
    }
  });

  describe("requests", () => {
    for (const [name, request] of Object.values(requests).flatMap((cases) => Object.entries(cases))) {
      if (request.only !== undefined) continue;
      for (const visitor of ["HTTP/1.1", "HTTP/2"] as const)
        it(`${name}, over ${visitor}`, async () => {
          service.take();
          await direct.visit(requestVisit(request));
          const expected = service.take();
          if (visitor === "HTTP/2") await tunnelled.visit(requestVisit(request));
          else {
            const bytes = named(http1Bytes(request, "NAME"));
            await visitHttp1(await dialHttp1(scope, site), { bytes, method: request.method ?? "GET" });
          }
          judge(where("request", name, visitor), manyDifferences(expected, service.take()));
        });
    }
  });

  function where(message: "answer" | "request", name: string, visitor: "HTTP/1.1" | "HTTP/2"): Circumstances {
    return { message, name, visitor, service: kind, client: visitor === "HTTP/2" ? "node:http2" : "socket" };
  }

  function visitOf(name: string, { method = "GET" }: Http2Answer): Http2Visit {
    return { method, target: `/${slug(name)}`, fields: [], body: method === "POST" ? "hello" : undefined };
  }

  async function overHttp1({ method, target, body }: Http2Visit) {
    const request: RequestCase = { method, target, ...(body === undefined ? {} : { body }) };
    return visitHttp1(await dialHttp1(scope, site), { bytes: named(http1Bytes(request, "NAME")), method });
  }

  function requestVisit({
    method = "GET",
    target = "/",
    fields = [],
    body,
    framing,
    trailers,
  }: RequestCase): Http2Visit {
    const length =
      body === undefined || framing === "chunked" ? [] : [["content-length", String(body.length)] as const];
    const all = [...fields, ...length].map(([name, value]) => [name.toLowerCase(), named(value)] as const);
    return { method, target, fields: all, body, trailers };
  }

  function named(text: string): string {
    return text.replaceAll("NAME", `${site.hostname}:${site.port}`);
  }
}

async function connectTo(scope: Scope, origin: string): Promise<ClientHttp2Session> {
  const options = {
    rejectUnauthorized: false,
    maxHeaderListPairs: 5_000,
    maxSendHeaderBlockLength: 4_000_000,
    strictSingleValueFields: false,
  };
  const session = http2.connect(origin, options);
  session.on("error", () => {});
  scope.defer(() => session.destroy());
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  return session;
}
