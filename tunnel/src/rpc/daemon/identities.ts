import { encryptKey, generateKey, parseGivenKey, type IdentityKey } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import { readKey } from "../../tunnel/index.ts";
import { Secret } from "@porthole/common/util";
import type { Identity } from "../contract/index.ts";
import type { Handlers } from "../server.ts";
import { keySource } from "./tunnel-settings.ts";

type IdentityHandlers = Pick<Handlers, Extract<keyof Handlers, `identity/${string}`>>;

/** Keys come in and go out as text: the caller is the one who keeps them. */
export function identityHandlers(log: Logger): IdentityHandlers {
  return {
    "identity/create": () => withPem(generateKey()),
    "identity/import": ({ pem, passphrase }) => withPem(parseGivenKey(pem, "the PEM text", secret(passphrase))),
    "identity/export": async ({ identity, passphrase }) => {
      const key = await readKey(keySource(identity, "identity"), log);
      return { pem: passphrase === undefined ? key.pem : encryptKey(key, new Secret(passphrase)) };
    },
    "identity/fingerprint": async ({ identity }) => described(await readKey(keySource(identity, "identity"), log)),
  };
}

function withPem(key: IdentityKey): Identity & { readonly pem: string } {
  return { ...described(key), pem: key.pem };
}

function described({ clientId, fingerprint }: IdentityKey): Identity {
  return { clientId, fingerprint };
}

function secret(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}
