import { t } from "./text.ts";

/**
 * Returns a text of the daemon in the user's language. The daemon speaks English and fills names in, so its texts are looked up as a
 * translator does: the whole text, or the part before a colon. Text that nobody has translated stays as it is.
 */
export function translated(text: string): string {
  const plain = text.replace(/\.$/, "");
  const whole = lookUp(plain);
  if (whole !== undefined) return text === plain ? whole : `${whole}.`;
  const colon = text.indexOf(": ");
  const [what, why] = [lookUp(text.slice(0, colon)), text.slice(colon + 2)];
  return colon < 0 || what === undefined ? text : `${what}: ${translated(why)}`;
}

function lookUp(text: string): string | undefined {
  for (const [english, words] of texts()) {
    const [, ...values] = english.exec(text) ?? [];
    if (english.test(text)) return words(...values);
  }
  return undefined;
}

let made: readonly (readonly [RegExp, (...values: string[]) => string])[] | undefined;

/** Made when the first error is shown: by then the editor's translation is there. */
function texts(): NonNullable<typeof made> {
  // The most specific first.
  made ??= [...all()]
    .toSorted(([a], [b]) => b.length - a.length)
    .map(([english, words]) => {
      const parts = english.split("{0}").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
      return [new RegExp(`^${parts.join("(.+)")}$`), words];
    });
  return made;
}

/** English as the daemon writes it, and the same in the user's language. */
function all(): readonly (readonly [string, (...values: string[]) => string])[] {
  return [
    ["Nothing listens on {0}", (where = "") => t("Nothing listens on {0}", where)],
    [
      "Check the port, or ask the relay's operator",
      () => t("Check the port, or ask the relay's host whether it is running"),
    ],
    ["{0} has no address in the DNS", (host = "") => t("{0} has no address in the DNS", host)],
    ["Check the spelling of the relay's name", () => t("Check the spelling of the relay's name")],
    [
      "The address of {0} can't be looked up at present",
      (host = "") => t("The address of {0} can't be looked up at present", host),
    ],
    ["Check this machine's network", () => t("Check this machine's network")],
    ["There is no way to {0} from this network", (where = "") => t("There is no way to {0} from this network", where)],
    ["The connection with {0} broke off", (where = "") => t("The connection with {0} broke off", where)],
    ["The connection with {0} failed", (where = "") => t("The connection with {0} failed", where)],
    ["{0} does not answer", (where = "") => t("{0} does not answer", where)],
    ["A firewall in between may block the port", () => t("A firewall in between may block the port")],
    [
      "This machine lets no socket connect to {0}",
      (where = "") => t("This machine does not allow a connection to {0}", where),
    ],
    ["{0} closed the connection at once", (where = "") => t("{0} closed the connection at once", where)],
    [
      "The relay is busy, or keeps this address out for a while",
      () => t("The relay is busy, or keeps this address out for a while"),
    ],
    ["{0} is not a Porthole relay", (where = "") => t("{0} is not a Porthole relay", where)],
    ["it does not speak TLS 1.3", () => t("it does not speak TLS 1.3")],
    [
      "Check the relay's name and port; clients connect to port 4433 where nothing else is said",
      () => t("Check the relay's name and port; the port is 4433 unless its host says otherwise"),
    ],
    [
      "{0} does not take clients: it is for visitors, or not a Porthole relay",
      (where = "") => t("{0} does not take clients: it is for visitors, or not a Porthole relay", where),
    ],
    [
      "Check the port; clients connect to port 4433 where nothing else is said",
      () => t("Check the port; it is 4433 unless the relay's host says otherwise"),
    ],
    [
      "The certificate of {0} is from an authority that this machine does not know",
      (where = "") => t("The certificate of {0} is from an authority that this machine does not know", where),
    ],
    [
      "Name the authority's root in NODE_EXTRA_CA_CERTS, or pin the relay's fingerprint",
      () => t("Name the authority's root in NODE_EXTRA_CA_CERTS, or add the relay with its fingerprint"),
    ],
    [
      "{0} has no certificate of a public authority",
      (where = "") => t("{0} has no certificate of a public authority", where),
    ],
    [
      "Join the relay by an invite, or pin its fingerprint: `porthole-relay status` shows it",
      () => t("Join the relay by an invite, or add it with its fingerprint: its host can see it"),
    ],
    [
      "The certificate of {0} is for another name",
      (where = "") => t("The certificate of {0} is for another name", where),
    ],
    ["The certificate of {0} was revoked", (where = "") => t("The certificate of {0} was revoked", where)],
    [
      "The certificate of {0} has a wrong signature",
      (where = "") => t("The certificate of {0} has a wrong signature", where),
    ],
    [
      "The certificate of {0} is not for servers",
      (where = "") => t("The certificate of {0} is not for servers", where),
    ],
    ["The certificate of {0} has expired", (where = "") => t("The certificate of {0} has expired", where)],
    [
      "Check this machine's clock, and ask the relay's operator",
      () => t("Check this machine's clock, and ask the relay's host"),
    ],
    ["The certificate of {0} is not valid yet", (where = "") => t("The certificate of {0} is not valid yet", where)],
    ["Check this machine's clock", () => t("Check this machine's clock")],
    ["The local service {0} does not answer", (local = "") => t("The local service {0} does not answer", local)],
    ["The proxy {0} can't be reached", (proxy = "") => t("The proxy {0} can't be reached", proxy)],
    ["Can't write {0}", (path = "") => t("Can't write {0}", path)],
    ["Can't read {0}", (path = "") => t("Can't read {0}", path)],
    ["the disk is full", () => t("the disk is full")],
    ["no permission", () => t("no permission")],
    ["the file system is read-only", () => t("the file system is read-only")],
    ["Free some space, then try again", () => t("Free some space, then try again")],
    ["Give this user access to the file and its folder", () => t("Give this user access to the file and its folder")],
    ["nothing listens there", () => t("nothing listens there")],
    ["the connection broke off", () => t("the connection broke off")],
    ["nothing came back", () => t("nothing came back")],
    ["its name has no address", () => t("its name has no address")],
    ["there is no way to it from this network", () => t("there is no way to it")],
    ["there is no such socket", () => t("there is no such socket")],
    ["it does not speak TLS", () => t("it does not speak TLS")],
    ["it refuses connections", () => t("it refuses connections")],
    ["it broke the connection off", () => t("it broke the connection off")],
    ["it does not answer", () => t("it does not answer")],
    ["there is no way to it", () => t("there is no way to it")],
    ["there is no such host", () => t("there is no such host")],
    ["this machine has no network", () => t("this machine has no network")],
  ];
}
