import { PortholeError } from "@porthole/common/errors";
import { encryptKey, generateKey, parseGivenKey, type IdentityKey } from "@porthole/common/identity";
import { formatBundle, isBundle, parseBundle } from "@porthole/common/invite";
import type { Logger } from "@porthole/common/log";
import { ExternalKey, readKey, type NameKey } from "../../tunnel/index.ts";
import { Secret } from "@porthole/common/util";
import type { Identity, ImportedIdentity } from "../contract/index.ts";
import type { Handlers } from "../server.ts";
import type { ExternalKeys } from "./external-keys.ts";
import { describedRelay } from "./relays.ts";
import { keySource, readRelay } from "./tunnel-settings.ts";

type IdentityHandlers = Pick<Handlers, Extract<keyof Handlers, `identity/${string}`>>;

/** Keys come in and go out as text: the caller is the one who keeps them. */
export function identityHandlers(log: Logger, externalKeys: ExternalKeys): IdentityHandlers {
  return {
    "identity/create": () => withPem(generateKey()),
    "identity/import": ({ pem, passphrase }) =>
      isBundle(pem)
        ? importBundle(pem, secret(passphrase))
        : withPem(parseGivenKey(pem, "the PEM text", secret(passphrase))),
    "identity/export": async ({ identity, passphrase, relays }) => {
      const key = await readKey(keySource(identity, "identity", externalKeys), log);
      if (key instanceof ExternalKey)
        throw new PortholeError("usage", "The private half of this key is elsewhere: it can't be exported from here");
      if (relays) {
        const read = relays.map((relay, index) => readRelay(relay, `relays.${index}`));
        return {
          pem: await formatBundle({ identities: [{ name: "primary", key }], relays: read }, secret(passphrase)),
        };
      }
      return { pem: passphrase === undefined ? key.pem : encryptKey(key, new Secret(passphrase)) };
    },
    "identity/fingerprint": async ({ identity }) =>
      described(await readKey(keySource(identity, "identity", externalKeys), log)),
    "identity/provide": ({ publicKey }, { holder }) => {
      if (!holder) throw new PortholeError("internal", "The caller can't be asked for signatures");
      return externalKeys.provide(publicKey, "publicKey", holder);
    },
  };
}

async function importBundle(text: string, passphrase: Secret | undefined): Promise<ImportedIdentity> {
  const { identities, relays } = await parseBundle(text, "the text", passphrase);
  const [first] = identities;
  if (!first) throw new PortholeError("key", "The bundle has no key");
  return {
    ...withPem(first.key),
    relays: relays.map(describedRelay),
    identities: identities.map(({ name, key }) => ({ name, ...withPem(key) })),
  };
}

function withPem(key: IdentityKey): Identity & { readonly pem: string } {
  return { ...described(key), pem: key.pem };
}

function described({ clientId, fingerprint }: NameKey): Identity {
  return { clientId, fingerprint };
}

function secret(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}
