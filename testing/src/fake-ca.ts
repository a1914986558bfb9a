import { createHash, createPublicKey, randomUUID, verify, type JsonWebKey, type KeyObject } from "node:crypto";
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fromDer, toDer, type Asn1 } from "../../common/src/identity/der.ts";
import type { Clock } from "@porthole/common/util";
import { TestAuthority } from "./test-authority.ts";

const urn = "urn:ietf:params:acme:error:";

export type Resource =
  | "directory"
  | "newNonce"
  | "newAccount"
  | "account"
  | "newOrder"
  | "order"
  | "authorization"
  | "challenge"
  | "finalize"
  | "certificate"
  | "renewalInfo";

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON if it is no string. */
  readonly body?: unknown;
  /** The connection stays open and nothing comes. */
  readonly hang?: boolean;
}

export interface Seen {
  readonly resource: Resource;
  readonly payload: Readonly<Record<string, unknown>>;
}

interface Order {
  readonly name: string;
  status: string;
  authorization: string;
  chain?: string;
}

/** An error as ACME servers answer it. */
export function problem(status: number, type: string, detail = type, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: { type: urn + type, detail, status } };
}

/**
 * A certificate authority in this process that speaks just enough ACME over plain HTTP on loopback, and misbehaves as it is told. It
 * checks nonces and signatures, and takes every challenge for answered unless `invalid` says otherwise.
 */
export class FakeCa {
  readonly authority: TestAuthority;
  readonly seen: Seen[] = [];
  /** The lifetime of the certificates it issues. */
  lifetimeMs = 90 * 24 * 3_600_000;
  /** What validators find; undefined: the right certificate. */
  invalid: { readonly type: string; readonly detail: string } | undefined;
  /** RFC 9773; the directory lacks it when undefined. */
  renewalInfo: (() => Reply) | undefined;
  meta: Readonly<Record<string, unknown>> = { termsOfService: "https://ca.test/terms" };
  readonly #clock: Clock;
  readonly #server = http.createServer((request, response) => void this.#serve(request, response));
  readonly #replies = new Map<Resource, (Reply | undefined)[]>();
  readonly #nonces = new Set<string>();
  readonly #accounts = new Map<string, KeyObject>();
  readonly #orders = new Map<string, Order>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.authority = new TestAuthority({ now: clock.now() });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get directoryUrl(): string {
    return this.#url("directory");
  }

  /** The next requests for the resource get these answers instead of the right one; undefined lets one through. */
  next(resource: Resource, ...replies: (Reply | undefined)[]): void {
    this.#replies.set(resource, [...(this.#replies.get(resource) ?? []), ...replies]);
  }

  count(resource: Resource): number {
    return this.seen.filter((each) => each.resource === resource).length;
  }

  forgetAccounts(): void {
    this.#accounts.clear();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #url(resource: Resource, id = ""): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${resource}/${id}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, resource, id = ""] = (request.url ?? "").split("/") as [string, Resource, string?];
    const jws = request.method === "POST" ? (JSON.parse(Buffer.concat(chunks).toString()) as Jws) : undefined;
    const payload = jws?.payload ? (decode(jws.payload) as Record<string, unknown>) : {};
    this.seen.push({ resource, payload });
    const reply = this.#replies.get(resource)?.shift() ?? this.#answer(resource, id, jws, payload);
    if (reply.hang) return;
    const nonce = randomUUID();
    this.#nonces.add(nonce);
    const { status = 200, body = "", headers } = reply;
    const isText = typeof body === "string";
    const contentType = isText ? "application/pem-certificate-chain" : "application/json";
    response.writeHead(status, { "content-type": contentType, "replay-nonce": nonce, ...headers });
    response.end(request.method === "HEAD" ? undefined : isText ? body : JSON.stringify(body));
  }

  #answer(resource: Resource, id: string, jws: Jws | undefined, payload: Record<string, unknown>): Reply {
    if (resource === "directory") return { body: this.#directory() };
    if (resource === "newNonce") return {};
    if (resource === "renewalInfo") return this.renewalInfo?.() ?? problem(404, "malformed");
    if (!jws) return problem(405, "malformed", "POST, please");
    const { nonce, kid, jwk } = decode(jws.protected) as { nonce: string; kid?: string; jwk?: JsonWebKey };
    if (!this.#nonces.delete(nonce)) return problem(400, "badNonce");
    const key = jwk ? createPublicKey({ key: jwk, format: "jwk" }) : this.#accounts.get(kid ?? "");
    if (!key) return problem(400, "accountDoesNotExist", "No such account");
    const signed = Buffer.from(`${jws.protected}.${jws.payload}`);
    if (!verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(jws.signature, "base64url")))
      return problem(400, "malformed", "The signature is wrong");
    if (resource === "newAccount") return this.#account(key, payload);
    if (resource === "account") return { body: { status: "valid" } };
    return this.#orderAnswer(resource, id, payload);
  }

  #directory(): object {
    const names: readonly Resource[] = ["newNonce", "newAccount", "newOrder"];
    return {
      ...Object.fromEntries(names.map((name) => [name, this.#url(name)])),
      ...(this.renewalInfo && { renewalInfo: this.#url("renewalInfo").slice(0, -1) }),
      meta: this.meta,
    };
  }

  #account(key: KeyObject, { onlyReturnExisting }: Record<string, unknown>): Reply {
    const print = createHash("sha256")
      .update(key.export({ type: "spki", format: "der" }))
      .digest("hex");
    const url = this.#url("account", print);
    const isKnown = this.#accounts.has(url);
    if (!isKnown && onlyReturnExisting === true) return problem(400, "accountDoesNotExist");
    this.#accounts.set(url, key);
    return { status: isKnown ? 200 : 201, headers: { location: url }, body: { status: "valid" } };
  }

  #orderAnswer(resource: Resource, id: string, payload: Record<string, unknown>): Reply {
    if (resource === "newOrder") {
      const [identifier] = payload["identifiers"] as { value: string }[];
      const order: Order = { name: identifier?.value ?? "", status: "pending", authorization: "pending" };
      const url = randomUUID();
      this.#orders.set(url, order);
      return { status: 201, headers: { location: this.#url("order", url) }, body: this.#orderBody(url, order) };
    }
    const order = this.#orders.get(id);
    if (!order) return problem(404, "malformed", "No such order");
    if (resource === "challenge") this.#validate(order);
    if (resource === "finalize") this.#finalize(order, Buffer.from(payload["csr"] as string, "base64url"));
    if (resource === "certificate") return { body: order.chain ?? "" };
    if (resource === "order" || resource === "finalize") return { body: this.#orderBody(id, order) };
    return { body: resource === "challenge" ? this.#challenge(id, order) : this.#authorizationBody(id, order) };
  }

  #validate(order: Order): void {
    order.authorization = this.invalid ? "invalid" : "valid";
    order.status = this.invalid ? "invalid" : "ready";
  }

  #finalize(order: Order, csr: Buffer): void {
    const info = (fromDer(csr).value as Asn1[])[0]?.value as Asn1[];
    const notBefore = this.#clock.now();
    order.chain = this.authority.issue({
      dnsName: order.name,
      spki: toDer(info[2] as Asn1),
      notBefore,
      notAfter: notBefore + this.lifetimeMs,
    });
    order.status = "valid";
  }

  #orderBody(id: string, { name, status }: Order): object {
    return {
      status,
      identifiers: [{ type: "dns", value: name }],
      authorizations: [this.#url("authorization", id)],
      finalize: this.#url("finalize", id),
      ...(status === "valid" && { certificate: this.#url("certificate", id) }),
    };
  }

  #authorizationBody(id: string, order: Order): object {
    const identifier = { type: "dns", value: order.name };
    return { status: order.authorization, identifier, challenges: [this.#challenge(id, order)] };
  }

  #challenge(id: string, { authorization: status }: Order): object {
    const error = status === "invalid" && this.invalid ? { ...this.invalid, type: urn + this.invalid.type } : undefined;
    return { type: "tls-alpn-01", url: this.#url("challenge", id), token: `token-${id}`, status, error };
  }
}

interface Jws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

function decode(part: string): unknown {
  return JSON.parse(Buffer.from(part, "base64url").toString());
}
