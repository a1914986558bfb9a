/** Well-known ports of services that are no HTTP, with the URL by which their programs reach the public name over TLS. */
const urls: Readonly<Record<string, (hostPort: string) => string>> = {
  "1883": (hostPort) => `mqtts://${hostPort}`,
  "5432": (hostPort) => `postgresql://${hostPort}/?sslmode=require&sslnegotiation=direct`,
  "5672": (hostPort) => `amqps://${hostPort}`,
  "6379": (hostPort) => `rediss://${hostPort}`,
};

/** Returns the address that visitors type: the URL for HTTP, and an address for TLS in front of a `tcp://` service. */
export function describePublicUrl(url: string, local: string): string {
  if (!local.startsWith("tcp://")) return `URL: ${url}`;
  const { hostname, port } = new URL(url);
  const hostPort = `${hostname}:${port === "" ? "443" : port}`;
  const known = URL.canParse(local) ? urls[new URL(local).port] : undefined;
  return known ? `Address: ${known(hostPort)}` : `Address: ${hostPort}, TLS`;
}
