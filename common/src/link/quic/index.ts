export { acceptQuic, chooseEngine, dialQuic, quicAvailability, type QuicAvailability } from "./engine.ts";
export { engineChoices, noDrops } from "./options.ts";
export type {
  AcceptQuicOptions,
  DialQuicOptions,
  DropReason,
  EngineChoice,
  EngineName,
  QuicAcceptor,
  QuicAcceptorStats,
  QuicTransportConnection,
  QuicTrust,
} from "./options.ts";
export { createTicketKey, mintTicket, type TicketClaims, type TicketKey } from "./ticket.ts";
export { TicketGate } from "./quiche/gate/ticket-gate.ts";
