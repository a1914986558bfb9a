/** Stands where a value was taken out. */
export const redactedMark = "<redacted>";
