/** Raised when a program of the old version could not talk to a daemon of the new one. New optional fields don't raise it. */
export const rpcVersion = 1;
