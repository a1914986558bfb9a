import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import parts from "./provision.json" with { type: "json" };

/** A program that tests need beside Node, as `provision.json` lists it. */
interface Part {
  /** Its Debian package. */
  readonly package: string;
  /** Either of these shows that it is there. */
  readonly command?: string;
  readonly file?: string;
  readonly why: string;
}

/** Installs what is missing, when root on Debian and its like; otherwise says what is missing and what to do. */
export function provision(): void {
  const missing = missingParts();
  if (missing.length === 0) return;
  const names = missing.map((part) => part.package);
  const apt = canRun("apt-get");
  if (apt && process.getuid?.() === 0) {
    console.log(`Installing what tests need from Debian: ${names.join(", ")}`);
    aptGet(["update"]);
    aptGet(["install", "--yes", "--no-install-recommends", ...names]);
    const left = missingParts();
    if (left.length > 0) console.log(`Could not be installed: ${left.map((part) => part.package).join(", ")}`);
    return;
  }
  console.log("Missing on this machine; tests that need one of these are skipped:");
  for (const part of missing) console.log(`  ${part.package.padEnd(14)} ${part.why}`);
  console.log(apt ? `To install: sudo apt-get install ${names.join(" ")}` : "The names are Debian's packages.");
}

function missingParts(): Part[] {
  return (parts as readonly Part[]).filter(
    ({ command, file }) => !(command && canRun(command)) && !(file && existsSync(file)),
  );
}

function aptGet(args: readonly string[]): void {
  spawnSync("apt-get", ["--quiet", "-o", "DPkg::Lock::Timeout=120", ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    timeout: 10 * 60_000,
  });
}

function canRun(command: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  if (process.platform !== "win32") folders.push("/usr/sbin", "/sbin");
  return folders.some((folder) =>
    isExecutable(join(folder, process.platform === "win32" ? `${command}.exe` : command)),
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) provision();
