import * as v from "valibot";
import { optional, text, type Data } from "../../schema/index.ts";
import { empty, identityRef, port } from "./fields.ts";

export const relaySpec = v.object({
  /** `host` or `host:port`; 4433 when it has none. */
  address: v.string(),
  /** Trust exactly this key; otherwise a CA's certificate, or first use on loopback. */
  fingerprint: optional(v.string()),
  /** Trust any key: somebody in between can pose as the relay. */
  insecure: optional(v.boolean()),
  /** One-time token of an invite: enrols the key that connects first. */
  token: optional(v.string()),
  /** What a person calls it. */
  label: optional(v.string()),
  /** Directory of the certificate authority for the names that it gives, as an invite says; a tunnel's own `acme` goes before it. */
  certificateDirectory: optional(v.string()),
});
/** A relay to connect to. */
export type RelaySpec = Data<typeof relaySpec>;

const passphrase = v.pipe(v.string(), v.nonEmpty());

export const identitySchemas = {
  /** Makes a key. The caller keeps it. */
  "identity/create": empty,
  /**
   * Reads a key from PEM text, PKCS#8 or SEC1, encrypted or not, and returns it as plain PKCS#8. Of a bundle it returns the first key,
   * with the relays and all keys.
   */
  "identity/import": v.object({ pem: v.string(), passphrase: optional(passphrase) }),
  /** The key as PKCS#8 PEM for a file, encrypted when there is a passphrase. With `relays` the text is a bundle of both; tokens are left out. */
  "identity/export": v.object({
    identity: identityRef,
    passphrase: optional(passphrase),
    relays: optional(v.array(relaySpec)),
  }),
  "identity/fingerprint": v.object({ identity: identityRef }),
  /**
   * The caller holds this key, and answers `identity/sign` for it until it leaves: for a program that attaches again. A caller that names a
   * public key as an identity does the same.
   */
  "identity/provide": v.object({ publicKey: text }),
};

export const relaySchemas = {
  /** Relays that are remembered in the state folder: used by a tunnel that names none. */
  "relay/list": empty,
  "relay/add": v.union(
    [v.object({ relay: relaySpec }), v.object({ invite: v.string() })],
    "an object with relay or invite",
  ),
  "relay/remove": v.object({ address: v.string() }),
  /** What an invite says, without using it. */
  "relay/parseInvite": v.object({ invite: v.string() }),
  /** Connects once over each transport, with a key that nobody knows when none is given (and without the token then), and leaves. */
  "relay/test": v.object({ relay: relaySpec, identity: optional(identityRef) }),
  /** A relay on loopback inside this process, for trying things out. Starting it again returns the running one. */
  "trialRelay/start": v.object({ publicPort: optional(port) }),
  "trialRelay/stop": empty,
};
