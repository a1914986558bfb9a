const maxLength = 300;

/**
 * Returns the address of a certificate authority's directory (RFC 8555 7.1.1) as it was given, or undefined for anything but a plain https
 * URL: without user, password or fragment, in visible ASCII, which is safe in a log and on a terminal.
 */
export function parseDirectoryUrl(text: string): string | undefined {
  if (text.length > maxLength || !/^https:\/\/[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) return undefined;
  const { username, password, hash } = new URL(text);
  return username === "" && password === "" && hash === "" ? text : undefined;
}
