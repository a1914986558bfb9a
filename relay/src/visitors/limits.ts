/** Deadline for a whole ClientHello, from the connection on. */
export const helloDeadlineMs = 10_000;
