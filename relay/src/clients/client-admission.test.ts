import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { delegate, generateKey } from "@porthole/common/identity";
import { limits, type ControlMessage } from "@porthole/common/protocol";
import type { AdmissionRequest, Grant } from "../admission/index.ts";
import type { ClientSessionDeps } from "./client-session.ts";
import { grant, hello, key, useClientSession } from "./fixture.test.ts";

describe("a client at the relay's door", () => {
  const session = useClientSession();
  const { connect, leave } = session;

  it("is judged by all that it says and proves, and gets the name that is granted", async () => {
    const requests: AdmissionRequest[] = [];
    const admission = {
      async admit(request: AdmissionRequest): Promise<Grant> {
        requests.push(request);
        return grant("myapp");
      },
    };
    const owner = generateKey();
    const { link, over } = connect({ admission });
    const delegation = delegate(owner, key.fingerprint);
    link.control.send({ ...hello, name: "MyApp", token: "one-time", delegation });
    const answer = await link.control.next();
    assert.deepEqual(answer?.type === "welcome" && answer.hostnames, ["myapp.localhost"]);
    const [request] = requests;
    assert.deepEqual(
      [request?.peer.fingerprint, request?.owner?.fingerprint, request?.name, request?.token?.reveal()],
      [key.fingerprint, owner.fingerprint, "MyApp", "one-time"],
    );
    assert.deepEqual(
      [session.registry.find("myapp.localhost").length, session.registry.find(`${key.clientId}.localhost`).length],
      [1, 0],
    );
    await leave(link);
    await over;
  });

  it("is refused when what let it in holds no more by then", async () => {
    const revoked = {
      hostname: `${key.clientId}.localhost`,
      owner: key.fingerprint,
      isExternallyAuthorized: false,
      revocationReason: () => new PortholeError("unauthorized", "revoked"),
    };
    const { link, over } = connect({ admission: { admit: async () => revoked } });
    link.control.send(hello);
    const answer = await link.control.next();
    assert.equal(answer?.type === "reject" && answer.message, "revoked");
    await over;
  });

  it("is refused when the relay has begun to stop by then, which it would not be told any more", async () => {
    let isStopping = false;
    const { link, over } = connect({
      refusal: () => (isStopping ? new PortholeError("draining", "this relay is being stopped") : undefined),
      admission: {
        async admit({ peer }) {
          isStopping = true;
          return grant(peer.clientId);
        },
      },
    });
    link.control.send(hello);
    const answer = await link.control.next();
    assert.equal(answer?.type === "reject" && answer.code, "draining");
    await over;
  });

  it("is refused with a delegation for somebody else's key", async () => {
    const { link, over } = connect();
    link.control.send({ ...hello, delegation: delegate(generateKey(), generateKey().fingerprint) });
    const answer = await link.control.next();
    assert.equal(answer?.type === "reject" && answer.code, "protocol");
    await over;
  });

  const denied = async (): Promise<Grant> => {
    throw new PortholeError("unauthorized", "not you", { hint: "Ask.", retryAfterMs: 5_000 });
  };
  const cases: readonly [string, Partial<ClientSessionDeps>, ControlMessage, object][] = [
    ["does not say hello first", {}, { type: "goodbye", reason: "" }, { code: "protocol" }],
    ["speaks an older version", {}, { ...hello, protocol: 0 }, { code: "version" }],
    [
      "wants a suffix of somebody else",
      { suffixes: ["one.example"] },
      { ...hello, suffix: "two.example" },
      { code: "name", message: 'the suffix "two.example" is not served here; try one.example' },
    ],
    [
      "is not let in",
      { admission: { admit: denied } },
      hello,
      { code: "unauthorized", message: "not you. Ask.", retryAfterMs: 5_000 },
    ],
  ];
  for (const [what, deps, message, expected] of cases) {
    it(`is refused when it ${what}`, async () => {
      const { link, over } = connect(deps);
      link.control.send(message);
      const answer = (await link.control.next()) as ControlMessage;
      assert.equal(answer.type, "reject");
      assert.deepEqual({ ...answer, ...expected }, answer);
      await over;
      await link.closed;
    });
  }

  it("is refused without a certificate", async () => {
    const { link, over } = connect({}, null);
    link.control.send(hello);
    const answer = await link.control.next();
    assert.equal(answer?.type === "reject" && answer.code, "protocol");
    await over;
  });

  for (const [what, deps, says] of [
    ["says nothing", {}, undefined],
    ["is being judged for too long", { admission: { admit: () => new Promise<Grant>(() => {}) } }, hello],
  ] as const) {
    it(`is sent away at the deadline when it ${what}`, async () => {
      const { link, over } = connect(deps);
      if (says) link.control.send(says);
      const answer = link.control.next();
      await session.clock.advance(limits.admissionDeadlineMs);
      const message = "The client's hello took longer than 10 s";
      assert.deepEqual(await answer, { type: "reject", code: "timeout", message });
      await over;
    });
  }
});
