/** Domains that no public CA gives certificates for: RFC 6761, 6762, 7686, 8375, 9476, and ICANN's `internal`. */
const specialUse = new Set(
  "localhost local test invalid example example.com example.net example.org onion internal home.arpa alt".split(" "),
);

/** Whether a public CA could know this (canonical) name. */
export function isPublicName(hostname: string): boolean {
  const labels = hostname.split(".");
  return labels.every((_label, index) => !specialUse.has(labels.slice(index).join(".")));
}
