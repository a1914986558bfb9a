export { isGlobal, machineAddresses } from "./addresses.ts";
export { checkDns } from "./dns.ts";
export { examine } from "./doctor.ts";
export { describeFindings, type Finding } from "./finding.ts";
export { checkPorts, wantedPorts } from "./ports.ts";
