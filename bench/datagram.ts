/** As QUIC's on our links. */
export const packetBytes = 1_350;
/** A datagram on a local socket: its length, then the port and the address that it came from. */
export const headBytes = 8;
