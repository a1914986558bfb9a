import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import { overEachTransport, soon, startTunnel, useScope, type Site } from "@porthole/testing/end-to-end";

const text = {
  requestStream: false,
  responseStream: false,
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (value: string) => Buffer.from(value),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
} as const;
/** A service as protoc would make it, with text for messages. */
const definition = {
  say: { ...text, path: "/test.Echo/Say" },
  fail: { ...text, path: "/test.Echo/Fail" },
  talk: { ...text, path: "/test.Echo/Talk", requestStream: true, responseStream: true },
} as const;

interface EchoClient extends grpc.Client {
  say(message: string, metadata: grpc.Metadata, callback: grpc.requestCallback<string>): grpc.ClientUnaryCall;
  fail(message: string, callback: grpc.requestCallback<string>): grpc.ClientUnaryCall;
  talk(): grpc.ClientDuplexStream<string, string>;
}

const Echo = grpc.makeGenericClientConstructor(definition, "Echo");

describe("gRPC through the tunnel", function () {
  this.timeout(120_000);
  const scope = useScope();

  async function startServer(): Promise<number> {
    const server = new grpc.Server();
    server.addService(definition, {
      say(call: grpc.ServerUnaryCall<string, string>, callback: grpc.sendUnaryData<string>) {
        const trailer = new grpc.Metadata();
        trailer.set("told", String(call.metadata.get("tell")[0]));
        callback(null, `echo of ${call.request}`, trailer);
      },
      fail(_call: unknown, callback: grpc.sendUnaryData<string>) {
        callback({ code: grpc.status.FAILED_PRECONDITION, details: "not today" });
      },
      talk(call: grpc.ServerDuplexStream<string, string>) {
        call.on("data", (message: string) => call.write(message.toUpperCase()));
        call.on("end", () => call.end());
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    scope.defer(() => server.forceShutdown());
    return port;
  }

  function connect({ hostname, port, ca }: Site): EchoClient {
    const client = new Echo(`127.0.0.1:${port}`, grpc.credentials.createSsl(Buffer.from(ca)), {
      "grpc.ssl_target_name_override": hostname,
      "grpc.default_authority": hostname,
    }) as unknown as EchoClient;
    scope.defer(() => client.close());
    return client;
  }

  overEachTransport((transport) => {
    for (const [what, scheme, args, mode] of [
      ["read as HTTP", "h2c://", [], "http"],
      ["read as HTTP, at a bare port", "", [], "http"],
      ["carried as it is", "", ["--mode", "tcp"], "tcp"],
    ] as const) {
      it(`${what}: calls, metadata, errors and streams both ways at the same time`, async () => {
        const { site, client: tunnel } = await startTunnel(scope, {
          transport,
          local: `${scheme}127.0.0.1:${await startServer()}`,
          client: { args },
        });
        const client = connect(site);

        const metadata = new grpc.Metadata();
        metadata.set("tell", "me");
        const answered = new Promise<[string | undefined, grpc.Metadata]>((resolve, reject) => {
          let status: grpc.StatusObject | undefined;
          let reply: string | undefined;
          const call = client.say("hello", metadata, (error, value) => {
            if (error) reject(error);
            reply = value;
          });
          call.on("status", (value: grpc.StatusObject) => {
            status = value;
            resolve([reply, status.metadata]);
          });
        });
        const [reply, trailer] = await soon(answered, "an answer");
        assert.equal(reply, "echo of hello");
        assert.deepEqual(trailer.get("told"), ["me"]);

        const failed = new Promise<grpc.ServiceError | null>((resolve) => {
          client.fail("please", (error) => resolve(error));
        });
        const error = await soon(failed, "an error");
        assert.deepEqual([error?.code, error?.details], [grpc.status.FAILED_PRECONDITION, "not today"]);

        const talk = client.talk();
        for (const word of ["one", "two", "three"]) {
          // The next one is sent only after the answer to this one: neither direction waits for the end of the other.
          const heard = new Promise<string>((resolve) => {
            talk.once("data", resolve);
          });
          talk.write(word);
          assert.equal(await soon(heard, word), word.toUpperCase());
        }
        const over = new Promise((resolve) => {
          talk.on("end", resolve);
        });
        talk.end();
        talk.resume();
        await soon(over, "the end");

        client.close();
        const [visit] = await tunnel.visited(1);
        assert.equal(visit?.mode, mode);
      });
    }
  });
});
