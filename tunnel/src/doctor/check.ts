/** What is looked at, in the order of a visitor's way from the end to the beginning. */
export type CheckId =
  | "local-port"
  | "relay-dns"
  | "relay-tcp"
  | "relay-udp"
  | "relay-trust"
  | "relay-admission"
  | "name-dns"
  | "certificate"
  | "whole-path";

export interface Check {
  readonly id: CheckId;
  /** `warning`: it works, but not as well as it could. `skipped`: something before it has to be mended first. */
  readonly status: "ok" | "warning" | "failed" | "skipped";
  /** The relay that it is about; absent for the local service. */
  readonly relay?: string;
  /** What was found, as a sentence. */
  readonly finding: string;
  /** What to do about it, as a sentence. */
  readonly fix?: string;
}

export type Finding = Omit<Check, "id" | "relay">;

export function ok(finding: string): Finding {
  return { status: "ok", finding };
}

export function warning(finding: string, fix?: string): Finding {
  return { status: "warning", finding, ...(fix === undefined ? {} : { fix }) };
}

export function failed(finding: string, fix?: string): Finding {
  return { status: "failed", finding, ...(fix === undefined ? {} : { fix }) };
}

export function skipped(finding: string): Finding {
  return { status: "skipped", finding };
}
