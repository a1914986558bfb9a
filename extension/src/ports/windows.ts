import type { ListeningPort } from "./listening.ts";

/** Owner and port of every listening socket, and the owner's program; JSON, because columns differ between languages. */
export const powershellScript = [
  "$names = @{}; Get-Process | ForEach-Object { $names[$_.Id] = $_.ProcessName }",
  "$rows = Get-NetTCPConnection -State Listen | ForEach-Object { [pscustomobject]@{ host = $_.LocalAddress; port = $_.LocalPort; pid = $_.OwningProcess; name = $names[[int]$_.OwningProcess] } }",
  "ConvertTo-Json -Compress -InputObject @($rows)",
].join("; ");

/** Services of the system listen too; nobody wants to expose those. */
const systemProcesses = new Set(["System", "Idle", "svchost", "lsass", "services", "wininit", "spoolsv"]);

export function parsePowershell(text: string): ListeningPort[] {
  const rows: unknown = JSON.parse(text);
  if (!Array.isArray(rows)) return [];
  return (rows as { host?: unknown; port?: unknown; pid?: unknown; name?: unknown }[]).flatMap((row) => {
    if (typeof row.host !== "string" || typeof row.port !== "number") return [];
    const process = typeof row.name === "string" ? row.name : undefined;
    if (process !== undefined && systemProcesses.has(process)) return [];
    return [{ host: row.host, port: row.port, process, pid: typeof row.pid === "number" ? row.pid : undefined }];
  });
}
