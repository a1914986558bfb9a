import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { platformReason, type PlatformReason } from "../skip.ts";

const programs = ["gcc", "ip", "nsenter", "setpriv"];

/** Why there can be no network lab on this machine, as `skipUnless` takes it; undefined when there can be one. */
export function netlabMissing(): string | PlatformReason | undefined {
  if (process.platform !== "linux") return platformReason("Network namespaces exist on Linux only");
  if (!mayMakeHosts()) return "The network lab needs root (CAP_NET_ADMIN and CAP_SYS_ADMIN)";
  if (!existsSync("/dev/net/tun")) return "The network lab needs /dev/net/tun";
  const absent = programs.filter((name) => !isProgram(name));
  return absent.length > 0 ? `The network lab needs ${absent.join(", ")}` : undefined;
}

/** Bits 12 and 21 of the capabilities: CAP_NET_ADMIN and CAP_SYS_ADMIN. */
function mayMakeHosts(): boolean {
  const bits = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0}`);
  return [12n, 21n].every((bit) => ((bits >> bit) & 1n) === 1n);
}

function isProgram(name: string): boolean {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
