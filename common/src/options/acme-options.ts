import { defineOptions } from "./options.ts";
import { flag, path, text } from "./parsers.ts";

/** Returns the options of a program that orders certificates. `accountFile` is the account's default file in the state folder. */
export function acmeOptions(accountFile: string) {
  return defineOptions({
    "acme-email": { help: "Where the certificate authority may write to", parse: text, placeholder: "ADDRESS" },
    "acme-creds-path": {
      help: "Where the ACME account is kept",
      parse: path,
      defaultHelp: `${accountFile} in the state folder`,
      advanced: true,
    },
    "acme-staging": { help: "Let's Encrypt's authority for trying things out", parse: flag, advanced: true },
    "acme-directory": {
      help: "Directory URL of another authority",
      parse: text,
      placeholder: "URL",
      defaultHelp: "Let's Encrypt",
      advanced: true,
    },
  });
}
