import type { Finding } from "@porthole/common/util";

/** The checks in the order of the path, from the local port to the visitor. */
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
