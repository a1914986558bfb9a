import assert from "node:assert/strict";
import tls from "node:tls";
import { generateKey, type IdentityKey } from "@porthole/common/identity";
import type { Link } from "@porthole/common/link";
import type { Relay } from "@porthole/relay";
import {
  dialLink,
  freePort,
  hello,
  soon,
  startTestRelay,
  useScope,
  type TestRelayOptions,
} from "@porthole/testing/end-to-end";

const acme = "acme-tls/1";

/** The ways to write the relay's suffixes, with every name that is the relay's own. */
const relays = [
  {
    what: "two suffixes, the relay's name under the first",
    suffixes: ["a.localhost", "b.localhost"],
    domain: "relay.a.localhost",
    own: ["relay.a.localhost", "a.localhost", "b.localhost"],
  },
  {
    what: "nested suffixes",
    suffixes: ["example.localhost", "tunnel.example.localhost"],
    domain: undefined,
    own: ["tunnel.example.localhost", "example.localhost"],
  },
  {
    what: "one suffix, which is the relay's name",
    suffixes: ["tunnel.localhost"],
    domain: "tunnel.localhost",
    own: ["tunnel.localhost"],
  },
] as const;

/** Clients and visitors with a port each, as by default, and with one for all. */
const ports = ["separate ports", "one port"] as const;

describe("Routing by the whole host name", function () {
  this.timeout(60_000);
  const scope = useScope();

  for (const { what, suffixes, domain, own } of relays)
    for (const layout of ports)
      describe(`${what}, ${layout}`, () => {
        let relay: Relay;
        let served: string[];

        beforeEach(async () => {
          served = [];
          relay = await startTestRelay(scope, await optionsOf(layout, suffixes, domain));
        });

        it("nobody gets a name that is the relay's own under any suffix", async () => {
          const labels = own
            .filter((name) => suffixes.some((suffix) => name.endsWith(`.${suffix}`)))
            .map((name) => name.split(".")[0]);
          for (const name of labels)
            for (const suffix of suffixes) assert.equal((await connect({ name, suffix })).refused, "name");
        });

        it("a client gets the visitors and challenges of exactly its own names", async () => {
          // One client for each suffix, and one with a friendly name under the last.
          const last = suffixes.at(-1) ?? "";
          const wishes = [...suffixes.map((suffix) => ({ suffix })), { suffix: last, name: "app" }];
          const names: string[] = [];
          for (const wish of wishes) names.push((await connect(wish)).hostname ?? "");
          const others = names.flatMap((name) =>
            suffixes.map((suffix) => `${name.split(".")[0]}.${suffix}`).filter((other) => !names.includes(other)),
          );
          for (const protocols of [["h2", "http/1.1"], [acme], []]) {
            for (const name of names)
              assert.deepEqual(await visit(name, protocols), [name], `${name} ${protocols.join()}`);
            for (const name of [...own, ...others, `x.${names[0]}`])
              assert.deepEqual(await visit(name, protocols), [], `${name} ${protocols.join()}`);
          }
        });

        /** A client that takes whatever comes and notes for which of its names it came. */
        async function connect(wish: {
          readonly suffix: string;
          readonly name?: string | undefined;
        }): Promise<{ readonly refused?: string; readonly hostname?: string }> {
          const key: IdentityKey = generateKey();
          const link = await dialLink(scope, relay, "http2", key);
          const { suffix, name } = wish;
          link.control.send({ ...hello, suffix, ...(name === undefined ? {} : { name }) });
          const answer = await link.control.next();
          if (answer?.type === "reject") return { refused: answer.code };
          assert.equal(answer?.type, "welcome");
          const [hostname = ""] = answer.hostnames;
          void take(link, hostname);
          return { hostname };
        }

        async function take(link: Link, hostname: string): Promise<void> {
          for await (const stream of link.incoming) {
            served.push(hostname);
            stream.on("error", () => {});
            stream.destroy();
          }
        }

        /** The clients that a visitor of this name reaches. */
        async function visit(servername: string, protocols: readonly string[]): Promise<readonly string[]> {
          served = [];
          const visitor = tls.connect({
            ...{ host: "127.0.0.1", port: relay.publicPort, servername, rejectUnauthorized: false },
            ...(protocols.length > 0 ? { ALPNProtocols: [...protocols] } : {}),
          });
          visitor.on("error", () => {});
          visitor.on("secureConnect", () => visitor.end());
          // Most are refused: the end counts, whatever it is.
          const closed = new Promise((resolve) => {
            visitor.resume().on("close", resolve);
          });
          await soon(closed, "the end of the visit");
          return served;
        }
      });

  async function optionsOf(
    layout: (typeof ports)[number],
    suffixes: readonly string[],
    domain: string | undefined,
  ): Promise<TestRelayOptions> {
    const port = String(await freePort());
    return {
      args: [
        ...suffixes.flatMap((suffix) => ["--domain-suffix", suffix]),
        // No certificate authority is there.
        ...(domain === undefined ? [] : ["--acme-domain", domain, "--acme-directory", "https://127.0.0.1:1/directory"]),
        ...(layout === "one port" ? ["--api-port", port, "--pub-port", port, "--alpn-port", port] : []),
        ...["--startup-grace", "0s", "--visitors-per-address", "0", "--drain", "0s"],
      ],
      authorize: async () => {},
    };
  }
});
