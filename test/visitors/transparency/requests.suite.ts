import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { connectVisitor } from "@porthole/testing/end-to-end";
import { http2Refused } from "./cases/http2-refused.ts";
import { refusedRequests } from "./cases/refused.ts";
import { http1Bytes, type RequestCase } from "./cases/request-case.ts";
import { requests } from "./cases/requests.ts";
import { sendFrames } from "./frames.ts";
import { judge } from "./judge.ts";
import { manyDifferences, type SeenRequest } from "./messages.ts";
import { dialHttp1, visitHttp1 } from "./visitors.ts";
import type { World } from "./world.ts";

/** What the tunnel says itself. */
const ours = /^(host|connection|transfer-encoding|x-forwarded-(for|proto|host|port)|forwarded)$/i;

export function declareRequests(world: () => World): void {
  for (const [corpus, cases] of Object.entries(requests)) {
    describe(corpus, () => {
      for (const [name, request] of Object.entries(cases)) {
        if (request.only !== "HTTP/2")
          it(`${name}, over HTTP/1.1`, async () => {
            const tunnelled = await overHttp1(request, () => dialHttp1(world().scope, world().site));
            const where = {
              message: "request",
              name,
              visitor: "HTTP/1.1",
              service: world().kind,
              client: "socket",
            } as const;
            judge(where, manyDifferences(await direct(request), tunnelled));
          });

        if (request.only !== "HTTP/1.1")
          it(`${name}, over HTTP/2`, async () => {
            const { method = "GET", target = "/", fields = [], body, framing, trailers } = request;
            const length =
              body === undefined || framing === "chunked" || request.only
                ? []
                : [["content-length", String(body.length)] as const];
            world().service.take();
            await world().http2.visit({
              method,
              target,
              fields: [...fields, ...length].map(([field, value]) => [field.toLowerCase(), named(value)]),
              body,
              trailers,
            });
            const where = {
              message: "request",
              name,
              visitor: "HTTP/2",
              service: world().kind,
              client: "node:http2",
            } as const;
            const tunnelled = world().service.take();
            judge(where, manyDifferences(await direct(asHttp1(request)), tunnelled));
          });
      }
    });
  }

  describe("requests that are refused", () => {
    for (const [name, { bytes, status }] of Object.entries(refusedRequests)) {
      it(`${name} is ${status}`, async () => {
        const { scope, site, service } = world();
        const answer = await visitHttp1(await dialHttp1(scope, site), { bytes: named(bytes), method: "GET" });
        assert.equal(answer.status, status);
        assert.deepEqual(
          answer.fields.filter(([field]) => field.toLowerCase() === "connection").map(([, value]) => value),
          ["close"],
        );
        assert.deepEqual(wholeOnes(service.take()), [], "Something reached the service");
      });
    }
  });

  describe("requests over HTTP/2 that are refused", () => {
    for (const [name, { head, body, trailers, refusal }] of Object.entries(http2Refused)) {
      it(`${name} is ${refusal}`, async () => {
        const { scope, site, service } = world();
        service.take();
        const socket = await connectVisitor(scope, site, { alpn: ["h2"] });
        socket.on("error", () => {});
        const fields = head.map(([field, value]) => [field, named(value)] as const);
        const outcome = await sendFrames(socket, { head: fields, body, trailers });
        const seen = wholeOnes(service.take());
        if (refusal === "dropped") {
          assert.deepEqual([outcome, seen.length], [200, 1]);
          const foreign = [...(seen[0]?.fields ?? []), ...(seen[0]?.trailers ?? [])].filter(
            ([field]) => !ours.test(field),
          );
          assert.deepEqual(foreign, [], "The field reached the service");
        } else {
          assert.equal(outcome, refusal);
          assert.deepEqual(seen, [], "Something reached the service");
        }
      });
    }
  });

  function wholeOnes(seen: readonly SeenRequest[]): readonly SeenRequest[] {
    return seen.filter(({ end }) => end === "whole");
  }

  function named(text: string): string {
    const { hostname, port } = world().site;
    return text.replaceAll("NAME", `${hostname}:${port}`).replaceAll("SITE", hostname);
  }

  function direct(request: RequestCase): Promise<readonly SeenRequest[]> {
    return overHttp1(request, () => world().dial());
  }

  async function overHttp1(request: RequestCase, dial: () => Promise<Socket>): Promise<readonly SeenRequest[]> {
    const { site, service } = world();
    const bytes = named(http1Bytes(request, `${site.hostname}:${site.port}`));
    service.take();
    await visitHttp1(await dial(), { bytes, method: request.method ?? "GET" });
    return service.take();
  }
}

/** How HTTP/1.1 says what only HTTP/2 can say: a frame without bytes is no body. */
function asHttp1({ only, body, fields = [], ...request }: RequestCase): RequestCase {
  return { ...request, fields, ...(body === undefined || (only === "HTTP/2" && body === "") ? {} : { body }) };
}
