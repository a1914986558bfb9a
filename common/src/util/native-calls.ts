/** Odd while this program is in native code that may hang; each call has a number of its own. The watchdog's thread reads it. */
export const nativeCalls = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

type Method = (...args: never[]) => unknown;

/** Makes calls of these methods visible to the watchdog: native code that does not return can't be ended in another way. Returns the object. */
export function watchNativeCalls<T extends object>(target: T, names: readonly (keyof T)[]): T {
  for (const name of names) {
    const method = target[name] as Method;
    const watched = (...args: never[]): unknown => {
      nativeCalls[0] = (nativeCalls[0] ?? 0) + 1;
      try {
        return method.apply(target, args);
      } finally {
        nativeCalls[0] = (nativeCalls[0] ?? 0) + 1;
      }
    };
    Object.defineProperty(target, name, { value: watched });
  }
  return target;
}
