import { PortholeError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import type { Clock } from "../../util/index.ts";
import { nextWindowCheck } from "../order/ari.ts";
import type { CertificateIssuer } from "../order/issuer.ts";
import type { StoredCertificate } from "./stored-certificate.ts";

export interface RenewalWindowContext {
  readonly name: string;
  readonly issuer: CertificateIssuer;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Asks the authority when it wants the certificate to be renewed (RFC 9773), if it is time to ask, and stores the reply.
 * A missing reply changes nothing but the time of the next question. Never rejects for what the authority does.
 */
export async function checkRenewalWindow(
  stored: StoredCertificate,
  { name, issuer, clock, log }: RenewalWindowContext,
  signal: AbortSignal,
): Promise<void> {
  const now = clock.now();
  const chain = stored.usable?.chain;
  if (!chain || chain.notAfter <= now) return;
  const { checkWindowAt = 0 } = stored.record;
  if (checkWindowAt > now && checkWindowAt <= nextWindowCheck(now, Number.POSITIVE_INFINITY)) return;
  let { window } = stored.record;
  let retryAfterMs: number | undefined;
  try {
    const reply = await issuer.renewalWindow(chain, signal);
    if (reply.window && window && reply.window.start !== window.start)
      log.info({ name, explanation: reply.window.explanationUrl }, "The authority changed the time of the renewal");
    ({ window, retryAfterMs } = reply);
  } catch (reason) {
    if (signal.aborted) return;
    const error = PortholeError.from(reason);
    ({ retryAfterMs } = error);
    log.debug({ name, code: error.code }, `The renewal window is unknown: ${error.message}`);
  }
  const checkAgainAt = nextWindowCheck(now, retryAfterMs);
  // In memory first: where nothing can be written the authority must not be asked every minute.
  stored.setWindow(window, checkAgainAt);
  await stored.locked(signal, async () => {
    if (stored.usable?.chain.pem !== chain.pem) return; // another process has a newer one
    stored.setWindow(window, checkAgainAt);
    await stored.write();
  });
}
