export { isGlobal, machineAddresses } from "./addresses.ts";
export { checkDns } from "./dns.ts";
export { examine } from "./doctor.ts";
export { describeChecks, type Check } from "./check.ts";
export { checkPorts, wantedPorts } from "./ports.ts";
