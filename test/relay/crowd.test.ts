import assert from "node:assert/strict";
import { once } from "node:events";
import type { Relay, RelayCounts } from "@porthole/relay";
import {
  connectVisitor,
  get,
  hastened,
  isFull,
  overEachTransport,
  settled,
  sized,
  soon,
  startHttp,
  startTunnel,
  until,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";

const aborts = sized(100, 10_000);
const atOnce = sized(50, 500);
const rounds = sized(3, 8);

describe("Many visitors on one link", function () {
  this.timeout(isFull ? 600_000 : 300_000);
  const scope = useScope();

  overEachTransport((transport) => {
    it(`serves ${atOnce} at once, each on a connection of its own`, async () => {
      let present = 0;
      // Nobody is answered before all have asked.
      const everyone = until(
        () => present === atOnce,
        () => `${atOnce} visitors were there, not ${present}`,
      );
      everyone.catch(() => {});
      const service = await startHttp(scope, async (request, response) => {
        present += 1;
        await everyone;
        response.end(`hello ${request.url}`);
      });
      // So many handshakes at once take a busy machine longer than a single one may take: here ten times as long is too long.
      const clock = hastened(scope.clock, 0.1);
      const { site, relay } = await startTunnel(scope, {
        ...{ transport, local: service.local },
        ...{ relay: { clock }, client: { clock } },
      });
      const answers = await Promise.all(Array.from({ length: atOnce }, (_, i) => get(site, `/${i}`)));
      assert.deepEqual(
        answers,
        Array.from({ length: atOnce }, (_, i) => `hello /${i}`),
      );
      await visitorsGone(relay);
    });

    for (const alpn of [[], ["http/1.1"], ["h2", "http/1.1"]]) {
      it(`lets go of visitors that leave right after the handshake (${alpn.join(", ") || "no protocol named"})`, async () => {
        const service = await startHttp(scope, (_request, response) => response.end("hello"));
        const { site, relay } = await startTunnel(scope, { transport, local: service.local });
        for (let round = 0; round < rounds; round++) {
          const options = alpn.length > 0 ? { alpn } : {};
          const visitors = await Promise.all(Array.from({ length: 10 }, () => connectVisitor(scope, site, options)));
          for (const visitor of visitors) visitor.destroy();
        }
        await visitorsGone(relay);
      });
    }

    it(`survives ${aborts} who leave in mid-download, and serves the next one`, async () => {
      const block = Buffer.alloc(256 * 1024);
      let open = 0;
      const service = await startHttp(scope, (request, response) => {
        if (request.url === "/") return void response.end("still here");
        open += 1;
        const more = (): void => void (response.write(block) && setImmediate(more));
        response.on("drain", more);
        response.on("close", () => {
          open -= 1;
          response.removeAllListeners("drain");
        });
        more();
      });
      const { site, relay, client } = await startTunnel(scope, {
        transport,
        local: service.local,
        // Alone: a busy machine makes QUIC fall silent for a moment, and visitors are led to the standby then.
        client: { args: ["--pool-size", "1", ...(transport === "quic" ? ["--transport", "quic"] : [])] },
      });
      for (let left = aborts; left > 0; left -= 50)
        await Promise.all(Array.from({ length: Math.min(left, 50) }, () => leaveInMidDownload(site)));
      assert.equal(await get(site), "still here");
      await until(
        () => open === 0,
        () => `the service was rid of ${open} downloads`,
      );
      await visitorsGone(relay);
      const visits = await client.visited(aborts + 1);
      assert.equal(visits.filter((visit) => visit.transport !== transport).length, 0);
      await client.stop();
      await settled(relay);
    });
  });

  function visitorsGone(relay: Relay): Promise<void> {
    const isOver = ({ streams, sockets, links }: RelayCounts): boolean => streams === 0 && sockets <= links;
    return until(
      () => isOver(relay.counts()),
      () => `no visitor was left of ${JSON.stringify(relay.counts())}`,
    );
  }

  async function leaveInMidDownload(site: Site): Promise<void> {
    const socket = await connectVisitor(scope, site);
    socket.on("error", () => {});
    socket.write(`GET /endless HTTP/1.1\r\nHost: ${site.hostname}\r\n\r\n`);
    await soon(once(socket, "data"), "the beginning of a download");
    socket.destroy();
    await once(socket, "close");
  }
});
