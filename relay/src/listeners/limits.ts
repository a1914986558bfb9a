/** Deadline for a balancer's PROXY header, from the connection on. */
export const proxyHeaderMs = 10_000;
