import { valuesOf, type RawHeaders } from "../http/index.ts";

/** The value of a header that must be there exactly once: two of them are a way to show one to us and the other to the service. */
export function onlyValueOf(headers: RawHeaders, name: string): string | undefined {
  const values = valuesOf(headers, name);
  return values.length === 1 ? values[0] : undefined;
}

/** All values that cookies of this name have. HTTP/2 visitors may send one Cookie header for each cookie. */
export function cookiesOf(headers: RawHeaders, name: string): string[] {
  return valuesOf(headers, "cookie")
    .flatMap((header) => header.split(";"))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}
