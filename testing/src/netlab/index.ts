export type { CrowdPlan, CrowdReport } from "./crowd.ts";
export { fileHash } from "./file.ts";
export {
  startLabTunnel,
  statusIn,
  type LabTunnel,
  type LabTunnelOptions,
  type Online,
  type Visit,
} from "./lab-tunnel.ts";
export { netlabMissing } from "./missing.ts";
export { watchProgram, type Entry, type Program } from "./program.ts";
export { createNetlab, relayAddress, type Host, type Netlab, type NetlabOptions, type WireSettings } from "./netlab.ts";
export {
  absence,
  absences,
  carried,
  childOf,
  darkUdp,
  firstServed,
  residentBytes,
  shortDarkness,
  stalledReaders,
  type AbsenceCase,
  type StalledReaders,
} from "./scenarios.ts";
