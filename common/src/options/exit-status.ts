import { wordSettings, type ErrorCode, type PortholeError } from "../errors.ts";

/** Exit status of a program that ends with this error: 0 stopped by its user, 1 failed, 2 wrong usage, 3 rejected by the relay. */
const statuses: Partial<Readonly<Record<ErrorCode, 0 | 2>>> = { aborted: 0, usage: 2 };

export function exitStatusOf(error: PortholeError): 0 | 1 | 2 | 3 {
  return statuses[error.code] ?? (error.isRefusal ? 3 : 1);
}

/** Words the settings that a text of the library names as flags: `{state-dir}` becomes `--state-dir`. */
export function withFlags(text: string): string {
  return wordSettings(text, (name) => `--${name}`);
}

/** The lines that a program writes to standard error before it ends with an error. */
export function errorLines(program: string, { message, hint }: PortholeError): string {
  return withFlags(`${program}: ${message}\n${hint ? `  ${hint}\n` : ""}`);
}
