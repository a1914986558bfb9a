import { PortholeError } from "../../errors.ts";
import { libraryCode } from "../dial-errors.ts";

const bindFaults: Readonly<Record<string, string>> = {
  EADDRINUSE: "is taken by another program",
  EADDRNOTAVAIL: "is not an address of this machine",
  EACCES: "needs a permission that this program does not have",
};

/** Why a UDP port could not be opened, by the system's name of it. */
export function bindError(cause: unknown, where: string): PortholeError {
  return new PortholeError("address", `${where} ${bindFaults[libraryCode(cause) ?? ""] ?? "can't be opened"}`, {
    cause,
  });
}
