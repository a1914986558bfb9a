import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { fakeRequest, FakeClock } from "@porthole/testing";
import { silentLogger } from "@porthole/common/log";
import { Secret } from "@porthole/common/util";
import { parseAddressList } from "./address-list.ts";
import { parseSecrets, parseUsers } from "./credentials.ts";
import { valuesOf } from "../http/index.ts";
import { parsePathList } from "./path-list.ts";
import type { AccessDecision } from "./policy.ts";
import { createAccessPolicy, type AccessRules } from "./rules.ts";
import { ShareLinks } from "./share-links.ts";
import { shareCookie, shareUrl } from "./share-visit.ts";
import { parseWebhookScheme } from "./webhook-schemes.ts";

type Change = Parameters<typeof fakeRequest>[0];

const hour = 3_600_000;
const browser = ["Accept", "text/html,application/xhtml+xml"];

describe("access rules", () => {
  let clock: FakeClock;
  let links: ShareLinks;
  const closers: (() => void)[] = [];
  const lines: string[] = [];
  const log = { ...silentLogger, warn: (_fields: object, message: string) => void lines.push(message) };

  beforeEach(async () => {
    clock = new FakeClock();
    links = await ShareLinks.open({ load: async () => [], save: async () => {} }, clock);
  });
  afterEach(() => {
    links.close();
    for (const close of closers.splice(0)) close();
    lines.length = 0;
    assert.equal(clock.pending, 0);
  });

  function policyOf(rules: AccessRules) {
    const policy = createAccessPolicy(rules, { clock, log });
    closers.push(() => policy.close());
    return policy;
  }

  async function answer(rules: AccessRules, change?: Change): Promise<string> {
    return said(await policyOf(rules).check(fakeRequest(change)));
  }

  function said(decision: AccessDecision): string {
    return decision.allow
      ? "allowed"
      : `${decision.status} ${decision.page ?? valuesOf(decision.headers, "location")[0]}`;
  }

  const users = parseUsers(new Secret("ada:pass:word\r\ngrace:höpper\n"));
  const bearerTokens = parseSecrets(new Secret("token-1\ntoken-2"), "token");
  const basic = (text: string): readonly string[] => ["Authorization", `Basic ${Buffer.from(text).toString("base64")}`];
  const bearer = (text: string): readonly string[] => ["authorization", `bearer ${text}`];

  it("without any let everybody in, at once", () => {
    assert.deepEqual(policyOf({}).check(fakeRequest()), { allow: true });
    assert.deepEqual(policyOf({}).admitsRaw(fakeRequest().visitor), { allow: true });
  });

  const people: readonly [string, AccessRules, Change, string][] = [
    ["a user", { users }, { headers: basic("ada:pass:word") }, "allowed"],
    ["another user", { users }, { headers: basic("grace:höpper") }, "allowed"],
    ["a wrong password", { users }, { headers: basic("ada:pass") }, "401 unauthorized"],
    ["somebody else's password", { users }, { headers: basic("ada:höpper") }, "401 unauthorized"],
    ["no header", { users }, {}, "401 unauthorized"],
    ["two headers", { users }, { headers: [...basic("ada:pass:word"), ...basic("x:y")] }, "401 unauthorized"],
    ["a password as a token", { users }, { headers: bearer("ada:pass:word") }, "401 unauthorized"],
    ["a token", { bearerTokens }, { headers: bearer("token-2") }, "allowed"],
    ["a wrong token", { bearerTokens }, { headers: bearer("token-3") }, "401 unauthorized"],
    ["the beginning of a token", { bearerTokens }, { headers: bearer("token-") }, "401 unauthorized"],
    ["either of two ways", { users, bearerTokens }, { headers: bearer("token-1") }, "allowed"],
    ["a good address", { addresses: parseAddressList(["192.0.2.0/24"]) }, {}, "allowed"],
    ["a bad address", { addresses: parseAddressList(["10.0.0.0/8"]) }, {}, "403 forbidden"],
    [
      "a bad address with a good password",
      { addresses: parseAddressList(["10.0.0.0/8"]), users },
      { headers: basic("ada:pass:word") },
      "403 forbidden",
    ],
    ["an exposed path", { paths: parsePathList(["/hook"]) }, { target: "/hook?x" }, "allowed"],
    ["another path", { paths: parsePathList(["/hook"]) }, { target: "/" }, "404 not-exposed"],
    ["a path without credentials", { paths: parsePathList(["/hook"]), users }, { target: "/hook" }, "401 unauthorized"],
  ];
  for (const [title, rules, change, expected] of people)
    it(`answer "${expected}" to ${title}`, async () => assert.equal(await answer(rules, change), expected));

  it("ask browsers for the password, and keep it from the local service", async () => {
    const policy = policyOf({ users, bearerTokens });
    const refused = await policy.check(fakeRequest());
    assert.ok(!refused.allow);
    assert.deepEqual(valuesOf(refused.headers, "www-authenticate"), [
      'Basic realm="Porthole", charset="UTF-8"',
      'Bearer realm="Porthole"',
    ]);
    const allowed = await policy.check(fakeRequest({ headers: basic("ada:pass:word") }));
    assert.deepEqual(allowed.allow && allowed.strip, { headers: ["authorization"] });
  });

  describe("with share links", () => {
    it("send a browser on with a cookie, and the cookie lets it in", async () => {
      const { token } = await links.create({ forMs: hour });
      const policy = policyOf({ shareLinks: links });
      const url = new URL(shareUrl("https://name.example:8443/a?b=%20c", token));
      const first = await policy.check(fakeRequest({ target: url.pathname + url.search, headers: browser }));
      assert.equal(said(first), "303 /a?b=%20c".replace("%20", "+"));
      assert.ok(!first.allow);
      const [cookie = ""] = valuesOf(first.headers, "set-cookie");
      assert.equal(cookie, `${shareCookie}=${token}; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax`);
      assert.deepEqual(valuesOf(first.headers, "referrer-policy"), ["no-referrer"]);
      const pair = cookie.split(";")[0] ?? "";
      const second = await policy.check(fakeRequest({ headers: ["Cookie", `a=b; ${pair}; c=d`] }));
      assert.equal(said(second), "allowed");
      await clock.advance(hour);
      const third = await policy.check(fakeRequest({ headers: ["Cookie", pair] }));
      assert.equal(said(third), "401 link-ended");
      assert.match(valuesOf(third.allow ? [] : third.headers, "set-cookie")[0] ?? "", /Max-Age=0/);
    });

    it("let a program in directly, which does not follow redirects", async () => {
      const { token } = await links.create({});
      const decision = await policyOf({ shareLinks: links }).check(
        fakeRequest({ method: "POST", target: `/?porthole-share=${token}`, headers: browser }),
      );
      assert.ok(decision.allow);
      assert.match(decision.setCookies?.[0] ?? "", /Max-Age=2592000/);
      assert.deepEqual(decision.strip, { query: ["porthole-share"], cookies: [shareCookie] });
    });

    it("never send anybody to another host", async () => {
      const { token } = await links.create({});
      for (const path of ["//evil.example/", "/\\evil.example/"]) {
        const target = `${path}?porthole-share=${token}`;
        assert.equal(await answer({ shareLinks: links }, { target, headers: browser }), `303 /.${path}`);
      }
    });

    it("end what runs when the link is revoked, or the endpoint's time is over", async () => {
      const one = await links.create({});
      const other = await links.create({});
      const policy = policyOf({ shareLinks: links, endsAt: clock.now() + hour });
      const visit = async (token: string): Promise<AbortSignal> => {
        const decision = await policy.check(fakeRequest({ headers: ["cookie", `${shareCookie}=${token}`] }));
        assert.ok(decision.allow && decision.until);
        return decision.until;
      };
      const [first, again, second] = [await visit(one.token), await visit(one.token), await visit(other.token)];
      assert.equal(first, again);
      await links.revoke(one.link.id);
      assert.equal(first.aborted, true);
      assert.equal(second.aborted, false);
      await clock.advance(hour);
      assert.equal(second.aborted, true);
    });

    it("say that a link has ended, and ask for one when there is none", async () => {
      assert.equal(await answer({ shareLinks: links }, { target: "/?porthole-share=x" }), "401 link-ended");
      assert.equal(await answer({ shareLinks: links }), "401 link-needed");
      assert.equal(await answer({ shareLinks: links, users }, { headers: basic("ada:pass:word") }), "allowed");
    });
  });

  describe("with wrong passwords", () => {
    const wrong = (index: number, address?: string): Change => ({
      headers: basic(`ada:wrong ${index}`),
      ...(address && { address }),
    });
    const right: Change = { headers: basic("ada:pass:word") };

    async function waitOf(policy: ReturnType<typeof policyOf>, change: Change): Promise<string | undefined> {
      const decision = await policy.check(fakeRequest(change));
      return decision.allow || decision.status !== 429 ? undefined : valuesOf(decision.headers, "retry-after")[0];
    }

    it("make an address wait, longer after each, and the right one with it", async () => {
      const policy = policyOf({ users });
      const say = async (change: Change): Promise<string> => said(await policy.check(fakeRequest(change)));
      for (let index = 0; index < 5; index++) assert.equal(await say(wrong(index)), "401 unauthorized");
      assert.equal(await say(wrong(5)), "429 too-many-tries");
      assert.equal(await say(right), "429 too-many-tries");
      for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
        assert.equal(await waitOf(policy, right), String(seconds));
        await clock.advance(seconds * 1_000 - 1);
        assert.equal(await waitOf(policy, right), "1");
        await clock.advance(1);
        assert.equal(await say(wrong(seconds + 1_000 * clock.monotonic())), "401 unauthorized");
      }
      await clock.advance(900_000);
      assert.equal(await say(right), "allowed");
    });

    it("are forgotten after an hour", async () => {
      const policy = policyOf({ users });
      for (let index = 0; index < 8; index++) {
        await policy.check(fakeRequest(wrong(index)));
        await clock.advance(900_000);
      }
      await clock.advance(hour);
      for (let index = 10; index < 14; index++)
        assert.equal(said(await policy.check(fakeRequest(wrong(index)))), "401 unauthorized");
      assert.equal(said(await policy.check(fakeRequest(right))), "allowed");
    });

    it("count for an address, and for an IPv6 network of /64", async () => {
      const policy = policyOf({ users });
      for (let index = 0; index < 5; index++) await policy.check(fakeRequest(wrong(index, `2001:db8::${index}`)));
      assert.equal(await waitOf(policy, { ...right, address: "2001:db8::ffff" }), "1");
      assert.equal(await waitOf(policy, { ...right, address: "2001:db8:0:1::1" }), undefined);
      assert.equal(await waitOf(policy, right), undefined);
    });

    it("count once when they are the same, as those of a page's pictures", async () => {
      const policy = policyOf({ users });
      for (let count = 0; count < 100; count++) await policy.check(fakeRequest(wrong(1)));
      assert.equal(said(await policy.check(fakeRequest(right))), "allowed");
    });

    it("keep nobody out who is in, and nobody with another way in", async () => {
      const { token } = await links.create({});
      const policy = policyOf({ users, bearerTokens, shareLinks: links });
      await policy.check(fakeRequest(right));
      for (let index = 0; index < 9; index++) await policy.check(fakeRequest({ headers: bearer(`guess-${index}`) }));
      assert.equal(await waitOf(policy, { headers: bearer("token-1") }), "1");
      assert.equal(said(await policy.check(fakeRequest(right))), "allowed");
      const cookie = ["cookie", `${shareCookie}=${token}`];
      assert.ok((await policy.check(fakeRequest({ headers: cookie }))).allow);
      assert.ok((await policy.check(fakeRequest({ headers: [...cookie, ...bearer("the-application")] }))).allow);
    });

    it("count for a token that a webhook's sender sends as it is", async () => {
      const webhook = {
        scheme: parseWebhookScheme("gitlab"),
        secrets: [new Secret("hush"), new Secret(`whsec_${Buffer.alloc(24, "k").toString("base64")}`)],
      };
      const policy = policyOf({ webhook });
      const post = (token: string, address = "192.0.2.1"): Change => ({
        ...{ method: "POST", headers: ["X-Gitlab-Token", token], body: Buffer.from("{}") },
        address,
      });
      const sent = Math.floor(clock.now() / 1_000);
      const signature = createHmac("sha256", Buffer.alloc(24, "k")).update(`id.${sent}.{}`).digest("base64");
      for (let index = 0; index < 9; index++) await policy.check(fakeRequest(post(`guess-${index}`)));
      assert.ok((await waitOf(policy, post("hush"))) !== undefined, "the right one has to wait, too");
      assert.equal(said(await policy.check(fakeRequest(post("hush", "192.0.2.99")))), "allowed");
      const signed = ["webhook-id", "id", "webhook-timestamp", String(sent), "webhook-signature", `v1,${signature}`];
      const both = { ...post("guess-99"), headers: [...(post("guess-99")?.headers ?? []), ...signed] };
      assert.equal(said(await policy.check(fakeRequest(both))), "allowed");
      assert.equal(lines.length, 1);
    });

    it("are no guess where nobody is asked for a password", async () => {
      const policy = policyOf({ bearerTokens });
      for (let index = 0; index < 9; index++) await policy.check(fakeRequest(wrong(index)));
      assert.equal(said(await policy.check(fakeRequest({ headers: bearer("token-1") }))), "allowed");
    });

    it("are told once, without the password", async () => {
      const policy = policyOf({ users });
      for (let source = 0; source < 50; source++)
        for (let index = 0; index < 9; index++) await policy.check(fakeRequest(wrong(index, `10.0.0.${source}`)));
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? "", /^10\.0\.0\.0 has tried several wrong passwords/);
      assert.ok(!lines[0]?.includes("wrong 1"));
    });
  });

  describe("with webhooks", () => {
    const webhook = { scheme: parseWebhookScheme("github"), secrets: [new Secret("s")] };
    const body = Buffer.from("{}");
    const signed = ["X-Hub-Signature-256", `sha256=${createHmac("sha256", "s").update(body).digest("hex")}`];

    it("let a genuine one in and leave its headers as they are", async () => {
      const decision = await policyOf({ webhook }).check(fakeRequest({ method: "POST", headers: signed, body }));
      assert.deepEqual(decision, { allow: true });
    });

    it("refuse the others", async () => {
      assert.equal(await answer({ webhook }, { headers: signed, body: Buffer.from("{ }") }), "401 bad-signature");
      assert.equal(await answer({ webhook }, {}), "401 bad-signature");
      assert.equal(await answer({ webhook, users }, {}), "401 unauthorized");
      assert.equal(await answer({ webhook, users }, { headers: basic("ada:pass:word") }), "allowed");
      const large = { headers: [...signed, "content-length", "99999999"] };
      assert.equal(await answer({ webhook }, large), "413 body-too-large");
    });
  });

  describe("with an end", () => {
    it("let in until then, and end what runs", async () => {
      const policy = policyOf({ endsAt: clock.now() + 40 * 24 * hour });
      const decision = await policy.check(fakeRequest());
      assert.ok(decision.allow);
      await clock.advance(40 * 24 * hour - 1);
      assert.equal(decision.until?.aborted, false);
      await clock.advance(1);
      assert.equal(decision.until?.aborted, true);
      assert.equal(said(await policy.check(fakeRequest())), "410 endpoint-ended");
    });
  });

  it("let raw connections pass only when no rule has to see requests", () => {
    const { visitor } = fakeRequest();
    const raw = (rules: AccessRules): boolean => policyOf(rules).admitsRaw(visitor).allow;
    assert.equal(raw({ addresses: parseAddressList(["192.0.2.1"]) }), true);
    assert.equal(raw({ addresses: parseAddressList(["!192.0.2.1"]) }), false);
    assert.equal(raw({ endsAt: clock.now() + 1 }), true);
    assert.equal(raw({ endsAt: clock.now() }), false);
    for (const rules of [{ users }, { bearerTokens }, { shareLinks: links }, { paths: parsePathList(["/*"]) }])
      assert.equal(raw(rules), false);
  });

  it("say what they are without a secret", () => {
    const { summary } = policyOf({ users, bearerTokens, shareLinks: links, paths: parsePathList(["/x"]), endsAt: 5 });
    assert.deepEqual(summary, { credentials: ["basic", "bearer", "share"], addresses: [], paths: ["/x"], endsAt: 5 });
  });

  it("refuse users that are none, without showing them", () => {
    for (const text of ["ada", ":x", "ada:"])
      assert.throws(() => parseUsers(new Secret(`a:b\n${text}`)), { code: "usage", message: /^Line 2 of the users/ });
    assert.throws(() => parseSecrets(new Secret("\n"), "token"), { code: "usage" });
  });
});
