export { quicAvailability, type QuicAvailability } from "./binding.ts";
export type { QuicTransportConnection } from "./transport-connection.ts";
export type { QuicTrust } from "./config.ts";
export { dialQuic, type DialQuicOptions } from "./dial.ts";
export { acceptQuic, type AcceptQuicOptions, type QuicAcceptor, type QuicAcceptorStats } from "./accept.ts";
export { noDrops, openAdmission, type Admission, type DropReason } from "./gate/packet-gate.ts";
export { createTicketKey, mintTicket, type TicketClaims, type TicketKey } from "./gate/ticket.ts";
export { TicketGate } from "./gate/ticket-gate.ts";
