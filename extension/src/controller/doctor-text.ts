import type { DoctorCheck } from "@porthole/tunnel/rpc";
import { isTranslating, t } from "../text.ts";
import { hintText, withoutFlags } from "./error-text.ts";

interface Step {
  readonly name: () => string;
  /** What it means when the step fails. */
  readonly failed: () => string;
  readonly fix: () => string;
}

const steps: Readonly<Record<DoctorCheck["id"], Step>> = {
  "local-port": {
    name: () => t("Local service"),
    failed: () => t("The local service does not answer as it should"),
    fix: () => t("Start the service, or expose the port that it listens on"),
  },
  "relay-dns": {
    name: () => t("Relay's address"),
    failed: () => t("The relay's name has no address"),
    fix: () => t("Check the spelling of the relay's name"),
  },
  "relay-tcp": {
    name: () => t("Relay's port (TCP)"),
    failed: () => t("The relay's port can't be reached"),
    fix: () => t("A firewall in between may block the port"),
  },
  "relay-udp": {
    name: () => t("QUIC (UDP)"),
    failed: () => t("QUIC does not reach the relay"),
    fix: () => t("For QUIC, allow UDP to the relay's port in the firewalls in between"),
  },
  "relay-trust": {
    name: () => t("Relay's key"),
    failed: () => t("The relay can't be trusted"),
    fix: () => t("Ask the relay's host for a new invite, and check the fingerprint"),
  },
  "relay-admission": {
    name: () => t("Admission"),
    failed: () => t("The relay does not admit this port"),
    fix: () => t("Ask the relay's host for an invite, or choose another name"),
  },
  "name-dns": {
    name: () => t("Public name"),
    failed: () => t("Visitors don't find the public name"),
    fix: () => t("The relay's host has to add a DNS record for it"),
  },
  certificate: {
    name: () => t("Certificate"),
    failed: () => t("There is no certificate that browsers trust"),
    fix: () => t("Browsers ask before they continue until there is one"),
  },
  "whole-path": {
    name: () => t("Whole path"),
    failed: () => t("A visit to the public URL fails"),
    fix: () => t("Check the DNS, and any proxy of this network"),
  },
};

export interface DescribedCheck {
  readonly name: string;
  readonly finding: string;
  readonly fix?: string | undefined;
}

/**
 * Returns a check of the doctor for people. The doctor's own sentences are English: in another language its result is said by the step
 * and the status, and the sentence stands behind it.
 */
export function describeCheck({ id, status, finding: english, fix: englishFix }: DoctorCheck): DescribedCheck {
  const said = withoutFlags(english);
  if (!isTranslating()) return { name: id, finding: said, fix: hintText(englishFix) };
  const { name, failed, fix } = steps[id];
  const behind = ` (${said.replace(/\.$/, "")})`;
  switch (status) {
    case "ok":
      return { name: name(), finding: `${t("works")}${behind}` };
    case "skipped":
      return { name: name(), finding: t("not tried") };
    case "warning":
    case "failed":
      return { name: name(), finding: `${failed()}${behind}`, fix: `${fix()}.` };
  }
}
