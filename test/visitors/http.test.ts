import assert from "node:assert/strict";
import {
  needProgram,
  overEachTransport,
  run,
  startH2c,
  startHttp,
  startTunnel,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";

describe("HTTP through the tunnel", function () {
  this.timeout(120_000);
  const scope = useScope();

  function curl(site: Site, ...args: string[]) {
    return run("curl", [
      ...["--silent", "--show-error", "--max-time", "20", "--cacert", site.caPath],
      ...["--resolve", `${site.hostname}:${site.port}:127.0.0.1`],
      ...["--write-out", "\n%{http_version} %{http_code}"],
      ...args,
    ]);
  }

  overEachTransport((transport) => {
    it("curl speaks HTTP/1.1 to a server that speaks it", async function () {
      needProgram(this, "curl");
      const service = await startHttp(scope, (request, response) => {
        response.end(`${request.method} ${request.url} for ${request.headers.host}`);
      });
      const { site, client } = await startTunnel(scope, { transport, local: service.local });
      const { stdout, stderr } = await curl(site, "--http1.1", `${site.origin}/path?query=1`);
      assert.equal(stderr, "");
      assert.equal(stdout, `GET /path?query=1 for ${site.hostname}:${site.port}\n1.1 200`);
      const [visit] = await client.visited(1);
      assert.equal(visit?.transport, transport);
      assert.equal(visit.hostname, site.hostname);
      assert.equal(visit.address, "127.0.0.1");
    });

    it("curl speaks HTTP/2 to a server that speaks it without TLS", async function () {
      needProgram(this, "curl");
      const service = await startH2c(scope, (request, response) => {
        response.end(`HTTP/${request.httpVersion} ${request.url}`);
      });
      const { site } = await startTunnel(scope, { transport, local: service.local });
      const { stdout, stderr } = await curl(site, "--http2", `${site.origin}/h2`);
      assert.equal(stderr, "");
      assert.equal(stdout, "HTTP/2.0 /h2\n2 200");
    });

    it("curl speaks HTTP/2 to a server that does not", async function () {
      needProgram(this, "curl");
      const service = await startHttp(scope, (request, response) => {
        response.end(`HTTP/${request.httpVersion} ${request.method} ${request.url}`);
      });
      const { site } = await startTunnel(scope, { transport, local: String(service.port) });
      const { stdout, stderr } = await curl(site, "--http2", `${site.origin}/h2`);
      assert.equal(stderr, "");
      assert.equal(stdout, "HTTP/1.1 GET /h2\n2 200");
    });

    it("curl keeps a connection for several requests and posts a body", async function () {
      needProgram(this, "curl");
      const service = await startHttp(scope, (request, response) => void request.pipe(response));
      const { site, client } = await startTunnel(scope, { transport, local: service.local });
      const { stdout } = await curl(site, "--http1.1", "--data", "abc", `${site.origin}/1`, `${site.origin}/2`);
      assert.equal(stdout, "abc\n1.1 200abc\n1.1 200");
      assert.equal((await client.visited(1)).length, 1);
    });
  });
});
