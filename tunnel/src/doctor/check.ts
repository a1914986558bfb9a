import type { Finding } from "@porthole/common/util";

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

export interface Check extends Finding {
  readonly id: CheckId;
  /** The relay that it is about; absent for the local service. */
  readonly relay?: string;
}
