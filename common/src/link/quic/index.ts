export { quicAvailability, type QuicAvailability } from "./binding.ts";
export type { QuicTransportConnection } from "./transport-connection.ts";
export type { QuicTrust } from "./config.ts";
export { dialQuic, type DialQuicOptions } from "./dial.ts";
export { listenQuic, type ListenQuicOptions, type QuicListener, type QuicListenerStats } from "./listen.ts";
export { openAdmission, type Admission, type DropReason } from "./packet-gate.ts";
export { createTicketKey, mintTicket, type TicketClaims, type TicketKey } from "./ticket.ts";
export { TicketGate } from "./ticket-gate.ts";
