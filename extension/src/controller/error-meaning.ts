import type { ErrorCode } from "@porthole/common/errors";
import { isErrorCode } from "@porthole/common/errors";
import { t } from "../text.ts";

/** What each code means, for a user who does not read the English text beside it. */
const meanings: Readonly<Record<ErrorCode, () => string>> = {
  unreachable: () => t("The other side can't be reached"),
  timeout: () => t("No answer came in time"),
  closed: () => t("The connection has ended"),
  draining: () => t("The relay is about to restart"),
  busy: () => t("A limit is reached for now"),
  "service-down": () => t("The local service accepts no connections"),
  ca: () => t("The certificate authority could not finish the certificate"),
  usage: () => t("A setting or an input is wrong"),
  state: () => t("A file can't be read or written"),
  key: () => t("This key can't be used"),
  signer: () => t("The key's holder did not sign"),
  address: () => t("The port is taken, or the address can't be used"),
  untrusted: () => t("The other side is not the one that is trusted"),
  unauthorized: () => t("The relay does not admit this key"),
  name: () => t("The name is refused"),
  version: () => t("The versions don't match"),
  protocol: () => t("The other side breaks the protocol"),
  limit: () => t("A limit was exceeded"),
  unavailable: () => t("This machine can't do it"),
  aborted: () => t("It was ended early"),
  internal: () => t("Porthole has a fault"),
};

export function meaningOf(code: string): string | undefined {
  return isErrorCode(code) ? meanings[code]() : undefined;
}
