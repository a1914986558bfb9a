import { readFileSync } from "node:fs";
import { PortholeError } from "@porthole/common/errors";
import { path, type Parser } from "@porthole/common/options";
import { parseCertificates } from "@porthole/tunnel/gateway";

/** The PEM certificates of a file, read when the option is. */
export const certificateFile: Parser<string> = {
  placeholder: "FILE",
  parse(text) {
    const file = path.parse(text);
    let content: string;
    try {
      content = readFileSync(file, "utf8");
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new PortholeError("usage", `${file} can't be read (${code ?? "unknown"})`, { cause });
    }
    return parseCertificates(content);
  },
};
