/** Deadline for a whole ClientHello, from the connection on. */
export const helloDeadlineMs = 10_000;
/** Deadline for a connection to the server of `--fallback`. */
export const fallbackConnectMs = 10_000;
/** Least time between two lines in the log about that server. */
export const fallbackLogMs = 60_000;
