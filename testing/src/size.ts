/** The nightly run (`npm run test:full`), which takes the sizes of a busy relay. */
export const isFull = process.env["PORTHOLE_TEST_SIZE"] === "full";

/** Returns the first size, or in the nightly run the second one. */
export function sized(small: number, full: number): number {
  return isFull ? full : small;
}
