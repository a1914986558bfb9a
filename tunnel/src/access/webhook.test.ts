import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { fakeRequest, FakeClock } from "@porthole/testing";
import { PortholeError } from "@porthole/common/errors";
import { type Clock, Secret } from "@porthole/common/util";
import type { OnBytes } from "./policy.ts";
import { GuessBrake } from "./guess-brake.ts";
import { WebhookCheck, type WebhookRule } from "./webhook.ts";
import { parseWebhookScheme } from "./webhook-schemes.ts";

/** As each sender's documentation has it where it has an example with its secret; computed here from its recipe otherwise. */
interface Example {
  readonly scheme: string;
  readonly secret: string;
  readonly headers: readonly string[];
  readonly body: string;
  /** Seconds since 1970, of schemes that sign it. */
  readonly sentAt?: number;
}

const sentAt = 1_767_225_600;
const order = '{"id":"evt_1","amount":  1050,"name":"Ünïcode"}\r\n';
const slackBody =
  "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

function hmac(algorithm: string, key: string | Buffer, text: string, encoding: "hex" | "base64"): string {
  return createHmac(algorithm, key).update(text).digest(encoding);
}

const examples: readonly Example[] = [
  {
    scheme: "stripe",
    secret: "whsec_test",
    headers: [
      "Stripe-Signature",
      `t=${sentAt},v1=${"00".repeat(32)},v1=${hmac("sha256", "whsec_test", `${sentAt}.${order}`, "hex")},v0=aa`,
    ],
    body: order,
    sentAt,
  },
  {
    scheme: "github",
    secret: "It's a Secret to Everybody",
    headers: ["X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"],
    body: "Hello, World!",
  },
  { scheme: "gitlab", secret: "shared token", headers: ["X-Gitlab-Token", "shared token"], body: order },
  {
    scheme: "gitlab",
    secret: `whsec_${Buffer.from("a signing token!").toString("base64")}`,
    headers: [
      ...["webhook-id", "msg_1", "webhook-timestamp", `${sentAt}`],
      ...["webhook-signature", `v1,${hmac("sha256", "a signing token!", `msg_1.${sentAt}.${order}`, "base64")}`],
    ],
    body: order,
    sentAt,
  },
  {
    scheme: "shopify",
    secret: "hush",
    headers: ["X-Shopify-Hmac-SHA256", hmac("sha256", "hush", order, "base64")],
    body: order,
  },
  {
    scheme: "slack",
    secret: "8f742231b10e8888abcd99yyyzzz85a5",
    headers: [
      ...["X-Slack-Request-Timestamp", "1531420618"],
      ...["X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"],
    ],
    body: slackBody,
    sentAt: 1_531_420_618,
  },
  {
    scheme: "standard",
    secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    headers: [
      ...["webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp", "1614265330"],
      ...["webhook-signature", "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="],
    ],
    body: '{"test": 2432232314}',
    sentAt: 1_614_265_330,
  },
  {
    scheme: "hmac:X-Signature",
    secret: "s",
    headers: ["X-Signature", hmac("sha256", "s", order, "hex").toUpperCase()],
    body: order,
  },
  {
    scheme: "hmac:x-sig:sha1:base64",
    secret: "s",
    headers: ["X-Sig", `sha1=${hmac("sha1", "s", order, "base64")}`],
    body: order,
  },
  {
    scheme: "hmac:x-sig:sha512:hex",
    secret: "s",
    headers: ["X-Sig", `sha512=${hmac("sha512", "s", order, "hex")}`],
    body: order,
  },
];

class At extends FakeClock {
  readonly #seconds: number;
  constructor(seconds: number) {
    super();
    this.#seconds = seconds;
  }
  override now(): number {
    return this.#seconds * 1_000;
  }
}

function outcome(example: Example, change: Partial<Example> & { readonly at?: number } = {}): Promise<string> {
  const { scheme, secret, headers, body } = { ...example, ...change };
  const rule = { scheme: parseWebhookScheme(scheme), secrets: [new Secret("another one"), new Secret(secret)] };
  const request = fakeRequest({ method: "POST", headers, body: Buffer.from(body) });
  return checkOf(rule, new At(change.at ?? example.sentAt ?? sentAt)).check(request, Buffer.byteLength(body));
}

for (const example of examples)
  describe(`a webhook signed as ${example.scheme}`, () => {
    const { headers, body } = example;
    it("is genuine", async () => assert.equal(await outcome(example), "genuine"));

    it("is refused with another secret", async () => {
      const secret = `${example.secret.slice(0, -1)}_`;
      assert.equal(await outcome(example, { secret }), "bad-signature");
    });

    it("is refused without its signature", async () => {
      assert.equal(await outcome(example, { headers: ["X-Other", "1"] }), "missing");
      assert.equal(
        await outcome(example, { headers: headers.map((text, index) => (index % 2 ? "" : text)) }),
        "missing",
      );
    });

    it("is refused when a second header says something else", async () => {
      assert.equal(await outcome(example, { headers: [...headers, ...headers] }), "missing");
    });

    if (headers[0] !== "X-Gitlab-Token")
      it("is refused when one bit of the body differs", async () => {
        const other = Buffer.from(body);
        other[3] = (other[3] ?? 0) ^ 1;
        assert.equal(await outcome(example, { body: other.toString("latin1") }), "bad-signature");
        assert.equal(await outcome(example, { body: `${body} ` }), "bad-signature");
        assert.equal(await outcome(example, { body: "" }), "bad-signature");
      });

    const { sentAt: signedAt } = example;
    if (signedAt !== undefined) {
      it("is refused when it is older than five minutes, or from the future", async () => {
        assert.equal(await outcome(example, { at: signedAt + 300 }), "genuine");
        assert.equal(await outcome(example, { at: signedAt + 301 }), "bad-signature");
        assert.equal(await outcome(example, { at: signedAt - 301 }), "bad-signature");
      });

      it("is refused with a new time on the old signature", async () => {
        const later = headers.map((text) => text.replaceAll(String(signedAt), String(signedAt + 3_600)));
        assert.equal(await outcome(example, { headers: later, at: signedAt + 3_600 }), "bad-signature");
      });
    }
  });

function checkOf(rule: WebhookRule, clock: Clock): WebhookCheck {
  return new WebhookCheck(rule, clock, new GuessBrake(clock, () => {}));
}

describe("checking webhooks", () => {
  const [stripe] = examples as [Example];
  const rule = { scheme: parseWebhookScheme("stripe"), secrets: [new Secret(stripe.secret)] };

  it("reads no body when the head is enough to refuse", async () => {
    const request = fakeRequest({ method: "POST", headers: stripe.headers, body: Buffer.from(stripe.body) });
    assert.equal(await checkOf(rule, new At(sentAt + 900)).check(request, 10), "bad-signature");
    assert.equal(request.bodiesRead, 0);
  });

  describe("with more bodies than it holds", () => {
    const mebi = 1024 * 1024;

    /** Bodies that come as the test says. */
    class Sender {
      readonly request = {
        ...fakeRequest({ method: "POST", headers: stripe.headers }),
        body: (_maxBytes: number, onBytes: OnBytes) => this.#read(onBytes),
      };
      #onBytes: OnBytes | undefined;
      #settle: { resolve(body: Buffer): void; reject(reason: Error): void } | undefined;

      send(bytes: number): void {
        this.#onBytes?.(bytes);
      }
      finish(): void {
        this.#settle?.resolve(Buffer.from(stripe.body));
      }
      leave(): void {
        this.#settle?.reject(new PortholeError("aborted", "The visitor left"));
      }
      #read(onBytes: OnBytes): Promise<Buffer> {
        this.#onBytes = onBytes;
        return new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
      }
    }

    function start(clock: FakeClock) {
      const check = checkOf(rule, clock);
      return {
        check,
        begin(contentLength?: number) {
          const sender = new Sender();
          const outcome = check
            .check(sender.request, contentLength)
            .catch((reason: unknown) => PortholeError.from(reason).code);
          return { sender, outcome };
        },
      };
    }

    it("counts bytes as they come, not as they are announced", async () => {
      const { check, begin } = start(new At(sentAt));
      const waiting = Array.from({ length: 100 }, () => begin(25 * mebi));
      for (const { sender } of waiting) sender.send(1);
      assert.equal(check.heldBytes, 100);
      const genuine = begin(10);
      genuine.sender.finish();
      assert.equal(await genuine.outcome, "genuine");
      for (const { sender } of waiting) sender.leave();
      assert.deepEqual(
        await Promise.all(waiting.map(({ outcome }) => outcome)),
        waiting.map(() => "aborted"),
      );
      assert.equal(check.heldBytes, 0);
    });

    it("lets the slowest give way", async () => {
      const clock = new At(sentAt);
      const { check, begin } = start(clock);
      const [slow, fast] = [begin(), begin()];
      slow.sender.send(20 * mebi);
      fast.sender.send(25 * mebi);
      await clock.advance(10_000);
      const late = begin();
      late.sender.send(19 * mebi);
      assert.equal(check.heldBytes, 64 * mebi);
      late.sender.send(20 * mebi);
      assert.equal(await slow.outcome, "busy");
      assert.equal(check.heldBytes, 45 * mebi);
      for (const { sender } of [fast, late]) sender.finish();
      assert.deepEqual(await Promise.all([fast.outcome, late.outcome]), ["genuine", "genuine"]);
      assert.equal(check.heldBytes, 0);
    });

    it("refuses the newest when none has had the time to be slow", async () => {
      const { check, begin } = start(new At(sentAt));
      const first = Array.from({ length: 3 }, () => begin());
      for (const { sender } of first) sender.send(21 * mebi);
      const last = begin();
      last.sender.send(2 * mebi);
      assert.equal(await last.outcome, "busy");
      for (const { sender } of first) sender.finish();
      assert.deepEqual(await Promise.all(first.map(({ outcome }) => outcome)), ["genuine", "genuine", "genuine"]);
      assert.equal(check.heldBytes, 0);
    });

    it("reads none that is announced as too large", async () => {
      const { begin } = start(new At(sentAt));
      assert.equal(await begin(26 * mebi).outcome, "body-too-large");
    });
  });

  describe("judges each claim by its own rule", () => {
    const [signed] = examples.filter(({ scheme, secret }) => scheme === "gitlab" && secret.startsWith("whsec_")) as [
      Example,
    ];
    const both = {
      scheme: parseWebhookScheme("gitlab"),
      secrets: [new Secret(signed.secret), new Secret("plain token")],
    };
    const token = (text: string): string[] => ["X-Gitlab-Token", text];
    for (const [what, headers, ageSeconds, expected] of [
      ["a fresh signature", signed.headers, 0, "genuine"],
      ["a stale signature", signed.headers, 30 * 86_400, "bad-signature"],
      ["a stale signature beside a made-up token", [...signed.headers, ...token("x")], 30 * 86_400, "bad-signature"],
      ["a fresh signature beside a made-up token", [...signed.headers, ...token("x")], 0, "genuine"],
      ["a stale signature beside the token", [...signed.headers, ...token("plain token")], 30 * 86_400, "genuine"],
      ["the token alone", token("plain token"), 0, "genuine"],
      ["the signing token as a token", token(signed.secret), 0, "bad-signature"],
    ] as const)
      for (const secrets of [both.secrets, both.secrets.toReversed()])
        it(`${what}, ${secrets === both.secrets ? "" : "the other secret first, "}is ${expected}`, async () => {
          const check = checkOf({ ...both, secrets }, new At(sentAt + ageSeconds));
          const request = fakeRequest({ method: "POST", headers, body: Buffer.from(signed.body) });
          assert.equal(await check.check(request, undefined), expected);
        });
  });

  for (const [scheme, secret] of [
    ["standard", "whsec_"],
    ["standard", "whsec_***"],
    ["standard", "whsec_é"],
    ["standard", "whsec_$SECRET"],
    ["standard", "***"],
    ["standard", "c2hvcnQ="],
    ["gitlab", "whsec_"],
    ["gitlab", "whsec_AAAA"],
    ["stripe", "whsec_"],
  ] as const)
    it(`${scheme} has no secret ${secret}`, () => {
      const check = (): void => parseWebhookScheme(scheme).checkSecret(secret, 3);
      assert.throws(check, { code: "usage", message: /line 3/ });
      if (secret !== "whsec_") assert.throws(check, ({ message }: Error) => !message.includes(secret));
    });

  it("takes the secrets of the senders", () => {
    for (const { scheme, secret } of examples) parseWebhookScheme(scheme).checkSecret(secret, 1);
  });

  it("refuses a body that turns out too large", async () => {
    const request = { ...fakeRequest({ method: "POST", headers: stripe.headers }) };
    request.body = () => Promise.resolve(undefined);
    assert.equal(await checkOf(rule, new At(sentAt)).check(request, undefined), "body-too-large");
  });

  for (const text of ["", "paypal", "hmac", "hmac:", "hmac:a b", "hmac:x:md5", "hmac:x:sha256:utf8", "constructor"])
    it(`has no scheme ${JSON.stringify(text)}`, () => assert.throws(() => parseWebhookScheme(text), { code: "usage" }));
});
